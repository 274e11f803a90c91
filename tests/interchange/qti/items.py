"""Questions to write as QTI."""

from app.engine.question_types import Interaction
from app.interchange.items import Choice, Item, Place

QUESTION = Item(
    Place(1),
    Interaction.ONE_OPTION,
    {"en": "Which river?", "hi": "कौन सी नदी?"},
    [Choice("a", {"en": "Ganga", "hi": "गंगा"}), Choice("b", {"en": "Yamuna", "hi": "यमुना"})],
    {"accepted": [["a"]]},
    tags=[],
    categories=[],
    images=[],
)
