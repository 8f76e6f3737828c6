"""What a reader may be told of images: of a blinded study, numbers and no names.

    blinding = session.blinding
    blinding.name_of(case.key)          # "Case 12", or the image's name where nothing is blinded
    blinding.tell(remarks)              # sentences that may be shown
    blinding.error(error)               # what an error may say

Every sentence that a panel or a page of a study shows goes through here. A sentence is hidden from
a blinded reader unless whoever made it has said what may be told instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .reading_errors import ReadingError

HIDDEN = "Problems with images: {count}. Which images stays hidden, as the study is blinded."


class Remark(str):
    """A sentence that knows what a blinded reader may be told of it.

    Parameters
    ----------
    blinded : the same, naming no image; an empty one is counted among what is hidden
    """

    blinded: str

    def __new__(cls, text: str, *, blinded: str = "") -> Remark:
        remark = super().__new__(cls, text)
        remark.blinded = blinded
        return remark


def of_logs(text: str) -> Remark:
    """A sentence on the study's own logs, which names no image."""
    return Remark(text, blinded=text)


class Blinding:
    """See the top of this file.

    Parameters
    ----------
    active : whether names are hidden
    numbers : of the cases in the reader's list, by their keys
    names : gives the names of the images, by the cases' keys; it is asked where nothing is hidden
    """

    def __init__(
        self, active: bool, numbers: Mapping[str, int], names: Callable[[], Mapping[str, str]]
    ) -> None:
        self.active = active
        self._numbers = numbers
        self._names = names
        self._known: Mapping[str, str] | None = None

    def name_of(self, case: str) -> str:
        """What the reader may call a case, by its key."""
        if self.active:
            number = self._numbers.get(case)
            return "a case that is not in the list" if number is None else f"Case {number}"
        if self._known is None:
            self._known = self._names()
        return self._known.get(case, "an image that is not in the list")

    def tell(self, sentences: Iterable[str], hidden: str = HIDDEN) -> tuple[str, ...]:
        """Sentences as they may be told; those that may not are counted in one at the end."""
        sentences = tuple(dict.fromkeys(sentences))
        if not self.active:
            return tuple(map(str, sentences))
        told = [getattr(sentence, "blinded", "") for sentence in sentences]
        count = told.count("")
        end = [hidden.format(count=count)] if count else []
        return (*dict.fromkeys(sentence for sentence in told if sentence), *end)

    def error(self, error: ReadingError) -> str:
        """What an error may say."""
        return error.blinded if self.active else str(error)
