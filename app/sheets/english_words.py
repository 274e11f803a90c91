"""Finds English words in a text that is typed in a legacy font of Hindi, whose letters are Latin ones too."""

import re

# Of four letters and more: shorter ones are words of such fonts, as `us` is a common one in Kruti Dev.
_TEXT = """
about above according after agreement amendment among answer article articles assembly authority bank
based been before below between bill board both budget cabinet central centre chief china code column
commission committee consider constitution correct correctly council country court culture data
development direct directive does during each east economic economy education election environment
european example false federal field finance following follows force foreign form forum from fund
fundamental given global government governor group growth have health high history house human income
india indian industry international into language large last list local lord many march market match
matched measure minister mission model more most mountain name nation national nations natural north
ocean only option order organization other ozone pair pairs parliament part party people plan policy
population power president prime process programme protocol public question rate report republic reserve
resolution right rights river rule rules sabha schedule scheme science section select sentence service
social some south soviet space state statement statements states such supreme system table territory than
that their them then there these they this through trade treaty true under union united value water west
what when where which while wildlife will with within without world year years
"""
_COMMON = frozenset(_TEXT.split())
_WORD = re.compile(r"(?<![^\s(\"\'-])[A-Za-z]{3,}(?![^\s).,:;?!\"\'-])")


def english_words(text: str) -> list[str]:
    """Return the words that seem to be English: common ones, and abbreviations such as `UNESCO`."""
    words = (found[0] for found in _WORD.finditer(text))
    return list(dict.fromkeys(word for word in words if word.isupper() or word.lower() in _COMMON))
