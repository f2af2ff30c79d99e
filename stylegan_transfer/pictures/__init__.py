"""Pictures: files of every depth and colour space, pixels, colours, contact sheets, clips."""
