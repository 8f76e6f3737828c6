"""Why a training cannot go on."""


class TrainingError(RuntimeError):
    """Training that cannot go on; the message says what to change."""
