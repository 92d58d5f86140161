"""Memory of this process and all that it started."""

import psutil


def memory_mb() -> float:
    """Of this process and its descendants, MB: what each holds alone (USS), summed; 0.0 where it cannot be read."""
    this = psutil.Process()
    return sum(_alone(process) for process in [this, *this.children(recursive=True)]) / 1e6


def _alone(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().uss)
    except psutil.Error:  # it has ended, or belongs to somebody else
        return 0.0
