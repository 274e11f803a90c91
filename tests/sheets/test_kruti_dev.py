"""Words in Kruti Dev 010, as typists type them, and the same words in Unicode."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sheets.english_words import english_words
from app.sheets.kruti_dev import is_doubtful, to_unicode

WORDS = r"""
Hkkjr भारत
fganh हिंदी
lafo/kku संविधान
iz/kkuea=h प्रधानमंत्री
jk"Vªifr राष्ट्रपति
fo|ky; विद्यालय
fo'ofo|ky; विश्वविद्यालय
f'k{kk शिक्षा
{ks= क्षेत्र
ek=k मात्रा
foKku विज्ञान
Jh श्री
vkfFkZd आर्थिक
fufeZr निर्मित
dk;Z कार्य
dk;ksZa कार्यों
ekxZ मार्ग
ikVhZ पार्टी
fLFkfr स्थिति
fØ;k क्रिया
fiz; प्रिय
}kjk द्वारा
;q) युद्ध
yM+dh लड़की
fpfM+;k चिड़िया
i<+uk पढ़ना
dkuwu कानून
U;k;ky; न्यायालय
mPp उच्च
loksZPp सर्वोच्च
laln संसद
yksdlHkk लोकसभा
vuqPNsn अनुच्छेद
iz'u प्रश्न
mÙkj उत्तर
xzke ग्राम
Å¡pk ऊँचा
vkSj और
,d एक
,sfrgkfld ऐतिहासिक
bZ'oj ईश्वर
_f"k ऋषि
eqä मुक्त
'kfä शक्ति
dsUnz केन्द्र
ioZr पर्वत
d`f"k कृषि
fl)kar सिद्धांत
Økafr क्रांति
Hkwxksy भूगोल
t+ehu ज़मीन
[+kku ख़ान
Q+ly फ़सल
vr% अतः
MkWDVj डॉक्टर
vkWfQl ऑफिस
fuEufyf[kr निम्नलिखित
dFkuksa कथनों
dhft, कीजिए
lR; सत्य
mi;qZDr उपर्युक्त
drZO; कर्तव्य
LorU=rk स्वतन्त्रता
Vªsu ट्रेन
foÙk वित्त
gSa हैं
?kj घर
>aMk झंडा
NksVk छोटा
Bhd ठीक
<ksy ढोल
xquk गुना
R;kx त्याग
/;ku ध्यान
Qy फल
:i रूप
#i;k रुपया
n`f"V दृष्टि
izfØ;k प्रक्रिया
laoS/kkfud संवैधानिक
fuokZpu निर्वाचन
dydÙkk कलकत्ता
Lkaln संसद
"""


@pytest.mark.parametrize(("typed", "read"), [line.split() for line in WORDS.strip().splitlines()])
def test_words(typed: str, read: str) -> None:
    assert to_unicode(typed) == read
    assert not is_doubtful(read)


def test_a_sentence() -> None:
    typed = r"26 uoEcj 1949 dks D;k vaxhÑr fd;k x;k\ ¼lgh dwV pqfu,½A"
    assert to_unicode(typed) == "26 नवम्बर 1949 को क्या अंगीकृत किया गया? (सही कूट चुनिए)।"


@pytest.mark.parametrize("word", ["GDP", "RBI", "The", "UNESCO", "Article 21", "NITI Aayog"])
def test_english_words_are_doubtful(word: str) -> None:
    assert is_doubtful(to_unicode(word))


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20), max_size=30))
def test_no_latin_letter_is_left_over_without_a_doubt(typed: str) -> None:
    read = to_unicode(typed)
    assert is_doubtful(read) or re.search("[A-Za-z]", read) is None


@given(st.text("\u0915\u093e\u0964 0123", max_size=10))
def test_unicode_stays(text: str) -> None:
    assert to_unicode(text) == text


def test_words_that_seem_to_be_english() -> None:
    said = "UNESCO us fo'o /kjksgj (World Heritage) dh lwph] 'Article 370' vkSj GDP ij"
    assert english_words(said) == ["UNESCO", "World", "Article", "GDP"]
    for line in WORDS.strip().splitlines():
        assert english_words(line.split()[0]) == []
