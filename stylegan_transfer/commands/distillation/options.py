"""The options of `distill`."""

import dataclasses

from stylegan_transfer import shipped
from stylegan_transfer.options import Options, option


@dataclasses.dataclass(frozen=True)
class DistillOptions(Options):
    """Pictures, teacher, training and validation of a small VGG19."""

    photos: str = option(description="Source of photographs.", not_empty=True)
    paintings: str = option(description="Source of paintings.", not_empty=True)
    workdir: str = option(description="Folder of the weights and TensorBoard logs.", not_empty=True)
    student: str = option(
        "distilled",
        description='What is trained: "distilled"; or "slim", with "distilled" as its teacher.',
        choices=tuple(shipped.FEATURES),
    )
    teacher: str = option(
        "imagenet",
        description="Weights of the teacher, as VGG19Features takes them.",
        not_empty=True,
    )
    deep_teacher: str | None = option(
        None,
        description="Collaborative Distillation's encoder (.npz) as the teacher of relu4_1 and "
        "relu5_1, for a --teacher file that ends before them.",
    )
    validation_photos: str | None = option(
        None, description="Photographs to validate with: folder or glob."
    )
    validation_paintings: str | None = option(
        None, description="Paintings to validate with; both or neither."
    )
    validation_size: int = option(
        256, description="Side of their central squares, in pixels.", minimum=32, maximum=4_096
    )
    steps: int = option(6000, description="Optimizer steps.", minimum=0, maximum=1_000_000)
    batch_size: int = option(
        8, description="Photographs a step, and as many paintings.", minimum=2, maximum=4_096
    )
    image_size: int = option(
        128, description="Side of the crops in pixels.", minimum=32, maximum=4_096
    )
    learning_rate: float = option(2e-3, description="Peak learning rate.", above=0, maximum=10)
    distance_weight: float = option(
        0.2, description="Weight of the distances' term.", minimum=0, maximum=1e6
    )
    initial_weights: str | None = option(
        None, description="WORKDIR/distiller.weights.h5 of an earlier run, to go on from it."
    )
    seed: int = option(0, description="Random seed.", minimum=0, maximum=1_000_000_000)

    def __post_init__(self):
        super().__post_init__()
        for name, other in (
            ("validation_paintings", self.validation_photos),
            ("validation_photos", self.validation_paintings),
        ):
            fits = bool(getattr(self, name)) or not other
            self.expect(fits, name, "given where the other validation pictures are")
        fits = self.student != "slim" or self.teacher == "distilled"
        self.expect(fits, "teacher", '"distilled", for the student "slim"')
        fits = self.student != "slim" or not self.deep_teacher
        self.expect(fits, "deep_teacher", 'none, for the student "slim"')
