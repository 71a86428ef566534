"""Study aids: faults in a file are one sentence, texts are escaped, and the order of options is fixed."""

from importlib.resources import files

import pytest
import yaml

from companion import study

TEXT = files("companion").joinpath("aids", "01_neurons.yml").read_text(encoding="utf-8")


def changed(**fields):
    """Return the text of chapter 1's aids with fields replaced; None removes one."""
    data = {**yaml.safe_load(TEXT), **fields}
    return yaml.safe_dump({k: v for k, v in data.items() if v is not None}, allow_unicode=True)


QUESTION = {"id": "q", "question": "Which of the three is right?"}
OPTION = {"text": "this", "why": "because it is as it is, always"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            changed(promise=None),
            r"^study: x\.yml, field promise expected field required, got nothing; see companion/study\.py",
        ),
        (changed(status="finished"), r"^study: x\.yml, field status expected .*'draft' or 'done', got 'finished'"),
        (changed(chapter=1), r"field chapter expected .*string, got 1"),
        (changed(colour="red"), r"field colour expected extra inputs are not permitted, got 'red'"),
        (changed(dialogue=[]), r"field dialogue expected list should have at least 8 items"),
        (
            changed(quiz=[{**QUESTION, "options": [OPTION] * 3}]),
            r"field quiz\.0 expected .*question q: exactly one option must",
        ),
        ("title: 'open", r"^study: x\.yml expected valid YAML, got a fault in line \d+"),
        ("a: [1\nb: 2", r"^study: x\.yml expected valid YAML, got a fault in line 2"),
        ("", r"field the file expected"),
    ],
)
def test_a_fault_in_a_file_is_one_sentence_that_names_file_and_field(text, said):
    with pytest.raises(ValueError, match=said) as caught:
        study.parse(text, "x.yml")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("say", ["Type `x` now.", "It is **bold** now.", "Costs $5 or so.", "A <b> tag."])
def test_what_is_spoken_holds_no_markup(say):
    turns = yaml.safe_load(TEXT)["dialogue"]
    with pytest.raises(ValueError, match=r"field dialogue\.0\.say"):
        study.parse(changed(dialogue=[{"who": "Student", "say": say}, *turns[1:]]), "x.yml")


def test_an_unknown_chapter_says_which_there_are():
    with pytest.raises(
        ValueError, match=r"^study: chapter expected one of .*01, 02.*got '99'; write it as text, for example '01'"
    ):
        study.load("99")
    with pytest.raises(ValueError, match=r"^study: chapter expected one of .*got 1; write it as text"):
        study.load(1)


def test_every_file_is_read_under_its_chapter():
    for chapter in study.chapters():
        assert study.load(chapter).chapter == chapter


@pytest.mark.parametrize("chapter", study.chapters())
def test_keys_of_cards_and_questions_are_unique(chapter):
    aids = study.load(chapter)
    for keys in ([c.key for c in aids.flashcards], [q.id for q in aids.quiz], [t.term for t in aids.terms]):
        assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("`<b>` and `a*b*c`", "<code>&lt;b&gt;</code> and <code>a*b*c</code>"),
        ("**so** and *thus*", "<strong>so</strong> and <em>thus</em>"),
        ("2 * 3 * 4 and a*b*c", "2 * 3 * 4 and a*b*c"),
        ("two\n  lines", "two lines"),
        ("[there](https://example.org/x)", '<a href="https://example.org/x">there</a>'),
        ("[there](01_neurons.html#a-b)", '<a href="01_neurons.html#a-b">there</a>'),
        ("[no](javascript:alert(1))", "[no](javascript:alert(1))"),
        ('[no](https://x"onclick=1)', '[no](https://x"onclick=1)'),
    ],
)
def test_inline_markup_is_a_safe_subset(text, html):
    assert study.inline(text) == html


def test_block_makes_paragraphs_and_lists():
    assert (
        study.block("One <b>.\n\n- a\n- *b*\n\nTwo")
        == "<p>One &lt;b&gt;.</p><ul><li>a</li><li><em>b</em></li></ul><p>Two</p>"
    )


def test_options_stand_in_a_fixed_order_that_is_not_the_files():
    questions = study.load("01").quiz
    orders = [[o.text for o in study._mixed(q)] for q in questions]
    again = study.parse(TEXT, "01_neurons.yml").quiz
    assert orders == [[o.text for o in study._mixed(q)] for q in again]
    assert orders != [[o.text for o in q.options] for q in questions]
    assert all(sorted(o) == sorted(x.text for x in q.options) for o, q in zip(orders, questions, strict=True))
    places = {[o.correct for o in study._mixed(q)].index(True) for q in questions}
    assert len(places) > 1, "the right option always stands in one place"
    turned = questions[0].model_copy(update={"options": questions[0].options[::-1]})
    assert study._mixed(turned) == study._mixed(questions[0])


@pytest.mark.parametrize("aid", ["dialogue", "summary", "flashcards", "quiz", "concepts", "memory", "open_questions"])
@pytest.mark.parametrize("chapter", study.chapters())
def test_every_aid_stores_its_words_and_shows_html(aid, chapter, monkeypatch):
    monkeypatch.setenv("NEURONS_SITE", "1")
    shown = getattr(study, aid)(chapter)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == repr(shown)
    assert len(bundle["text/plain"]) > 200
    assert "<script>alert" not in bundle["text/html"]


def test_stored_words_of_the_quiz_do_not_tell_the_answer():
    text = repr(study.quiz("01"))
    assert not any(o.why in text for q in study.load("01").quiz for o in q.options)
