"""What an exam's room is told about the stages of the keys, in English and Hindi."""

from zoneinfo import ZoneInfo

from app.engine.objections import ObjectionWindow
from app.models import LocalizedText

INDIA = ZoneInfo("Asia/Kolkata")


def key_announcement(stage: str | None, window: ObjectionWindow | None) -> LocalizedText:
    """The announcement of a stage. `window` is that of objections, if the exam takes any."""
    if stage == "final_key":
        return {"en": "The final key is published.", "hi": "अंतिम उत्तर कुंजी जारी हो गई है।"}
    if window is None:
        return {"en": "The provisional key is published.", "hi": "अनंतिम उत्तर कुंजी जारी हो गई है।"}
    begin, end = (f"{at.astimezone(INDIA):%d.%m.%Y %H:%M} IST" for at in (window.opens_at, window.closes_at))
    return {
        "en": f"The provisional key is open for objections from {begin} until {end}.",
        "hi": f"अनंतिम उत्तर कुंजी पर {begin} से {end} तक आपत्ति दर्ज की जा सकती है।",
    }
