# Workers for Apache Beam, and the command itself:
#   docker build -t REGISTRY/stylegan-transfer .
#   docker run --rm -v "$PWD:/data" -w /data --entrypoint stylegan-transfer \
#       REGISTRY/stylegan-transfer stylize --content=photo.jpg --style=painting.jpg --output=out.png
# The version of Beam must be the one of the machine that starts the run: pip show apache-beam.
ARG BEAM_VERSION=2.77.0
FROM apache/beam_python3.11_sdk:${BEAM_VERSION} AS sdk

FROM python:3.11-slim
ARG BEAM_VERSION
COPY --from=sdk /opt/apache/beam /opt/apache/beam

WORKDIR /opt/stylegan_transfer
COPY setup.py pyproject.toml requirements.txt README.md LICENSE ./
COPY stylegan_transfer stylegan_transfer
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[beam,onnx]" "apache-beam[gcp]==${BEAM_VERSION}" \
    && pip check

WORKDIR /
ENTRYPOINT ["/opt/apache/beam/boot"]
