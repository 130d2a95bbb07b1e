"""Words that are there only while there is something to say."""

from workstation.dashboard.sheet import Words


def test_words_are_lines_and_are_not_there_without_any() -> None:
    words = Words()
    assert not words.visible and words.text == ""
    words.say("Nothing is stored yet.\n\n    workstation data record\n<b>no</b>")
    assert words.visible
    assert words.lines == [["Nothing is stored yet."], [""], ["    workstation data record"], ["<b>no</b>"]]
    words.say("")
    assert not words.visible and words.lines == []
