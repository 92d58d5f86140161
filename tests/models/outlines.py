"""What holds of the anatomy of every model."""

from tagsight_models.anatomy import REST, Stage, anatomy, learned_weights
from tagsight_models.job_model import JobModel


def checked(model: JobModel) -> tuple[Stage, ...]:
    """The stages, after every array was found in exactly one block, and everything that is `after` was before."""
    stages = anatomy(model)
    blocks = [block for stage in stages for block in stage]
    assert blocks[0].gives == (model.window_steps, len(model.roles))
    arrays = model.tensors()
    assert sorted(name for block in blocks for name in block.arrays) == sorted(arrays)
    assert sum(block.parameters for block in blocks) == sum(array.size for array in arrays.values())
    for number, stage in enumerate(stages):
        before = {block.name for one in stages[:number] for block in one}
        assert all(set(block.after or ()) <= before for block in stage)
    assert REST not in {block.name for block in blocks}, "a part of the model that its outline does not name"
    assert all(len(array) > 1 for array in learned_weights(stages).values())
    return stages
