"""How much time goes into a picture after the generator has painted it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Refinement:
    """How a painted picture is refined.

    Args:
        num_steps: Of gradient descent.
        style_weight: Of the Gram style loss, and of the moments loss.
        content_weight: Of the content loss.
        total_variation_weight: Of the total variation: more of it, less grain.
    """

    num_steps: int
    style_weight: float = 15.0
    content_weight: float = 4.0
    total_variation_weight: float = 0.15

    @property
    def weights(self) -> dict[str, float]:
        """The weights by the names of the losses."""
        return {
            "style": self.style_weight,
            "moments": self.style_weight,
            "content": self.content_weight,
            "total_variation": self.total_variation_weight,
        }


# None: the generator's picture as it is.
QUALITIES = {
    "fast": None,
    "fine": Refinement(num_steps=20),
    # So many steps leave the content nearer than it need be: they can follow the style further.
    "best": Refinement(num_steps=180, style_weight=40.0, content_weight=6.0),
}
