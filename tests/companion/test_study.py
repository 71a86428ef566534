"""Study aids: faults in a file are one sentence, texts are escaped, and the order of options is fixed."""

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
import yaml

from companion import figures, study
from companion.study.aids import _mixed as mixed

TEXT = files("companion").joinpath("aids", "01_neurons.yml").read_text(encoding="utf-8")


def changed(**fields):
    """Return the text of chapter 1's aids with fields replaced; None removes one."""
    data = {**yaml.safe_load(TEXT), **fields}
    return yaml.safe_dump({k: v for k, v in data.items() if v is not None}, allow_unicode=True)


QUESTION = {"id": "q", "objective": "xor", "section": "a", "question": "Which of the three is right?"}
OPTION = {"text": "this", "why": "because it is as it is, always"}


OBJECTIVES = [{**o, "shown_by": ["01.1"]} for o in yaml.safe_load(TEXT)["objectives"][:3]]


def quiz_with(place, **fields):
    """Return the text of chapter 1's aids with fields of one quiz question replaced; None removes one."""
    quiz = yaml.safe_load(TEXT)["quiz"]
    quiz[place] = {k: v for k, v in (quiz[place] | fields).items() if v is not None}
    return changed(quiz=quiz)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            changed(promise=None),
            r"^study: x\.yml, field promise expected field required, got nothing; see companion/study/schema\.py",
        ),
        (changed(status="finished"), r"^study: x\.yml, field status expected .*'draft' or 'done', got 'finished'"),
        (changed(chapter=1), r"field chapter expected .*string, got 1"),
        (changed(colour="red"), r"field colour expected extra inputs are not permitted, got 'red'"),
        (changed(dialogue=[]), r"field dialogue expected list should have at least 8 items"),
        (
            changed(quiz=[{**QUESTION, "options": [OPTION] * 3}]),
            r"field quiz\.0 expected .*question q: exactly one option must",
        ),
        (
            quiz_with(0, objective="gone"),
            r"^study: x\.yml, field quiz\.0\.objective expected one of weighted-sum, .*, got 'gone'; see companion",
        ),
        (
            quiz_with(2, objective="xor"),
            r"field objectives\.1\.shown_by expected only questions whose objective is boundary, got 'scale-all, which names xor'",
        ),
        (quiz_with(0, section=None), r"field quiz\.0\.section expected field required, got nothing"),
        (quiz_with(0, section="Not An Anchor"), r"field quiz\.0\.section expected string should match"),
        (
            changed(objectives=OBJECTIVES + OBJECTIVES[:1], quiz=[]),
            r"field objectives expected each id once, got 'weighted-sum'",
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
    orders = [[o.text for o in mixed(q)] for q in questions]
    again = study.parse(TEXT, "01_neurons.yml").quiz
    assert orders == [[o.text for o in mixed(q)] for q in again]
    assert orders != [[o.text for o in q.options] for q in questions]
    assert all(sorted(o) == sorted(x.text for x in q.options) for o, q in zip(orders, questions, strict=True))
    places = {[o.correct for o in mixed(q)].index(True) for q in questions}
    assert len(places) > 1, "the right option always stands in one place"
    turned = questions[0].model_copy(update={"options": questions[0].options[::-1]})
    assert mixed(turned) == mixed(questions[0])


AIDS = [
    "objectives", "dialogue", "summary", "flashcards", "matching", "quiz", "concepts", "memory", "open_questions",
]  # fmt: skip


@pytest.mark.parametrize("aid", AIDS)
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


@pytest.mark.parametrize("chapter", study.chapters())
def test_every_objective_of_a_finished_chapter_has_a_question_and_something_that_shows_it(chapter):
    aids = study.load(chapter)
    asked = {q.objective for q in aids.quiz}
    without = [o.id for o in aids.objectives if o.id not in asked]
    assert aids.status == "draft" or without == []
    assert all(item["exercises"] or item["questions"] for item in study.objectives(chapter).state["items"])
    assert {i for item in study.objectives(chapter).state["items"] for i in item["questions"]} == {
        q.id for q in aids.quiz
    }


def test_an_anchor_that_no_heading_has_is_one_sentence_that_names_file_and_field():
    aids = study.load("01")
    known = {q.section for q in aids.quiz} | {t.anchor for t in aids.terms}
    study.check_anchors(aids, "01_neurons.yml", known)
    said = (
        r"^study: 01_neurons\.yml, field quiz\.0\.section expected the anchor of a heading of the chapter, "
        r"got 'the-weighted-sum'"
    )
    with pytest.raises(ValueError, match=said):
        study.check_anchors(aids, "01_neurons.yml", known - {"the-weighted-sum"})
    with pytest.raises(ValueError, match=r"field terms\.0\.anchor expected"):
        study.check_anchors(aids.model_copy(update={"quiz": []}), "01_neurons.yml", set())


def test_progress_and_due_cards_hold_every_finished_chapter():
    done = [c for c in study.chapters() if study.load(c).status == "done"]
    rows = study.profile().state["chapters"]
    assert [row["id"] for row in rows] == done
    assert [row["page"] for row in rows][:2] == ["01_neurons", "02_activations"]
    cards = study.due_cards().state
    assert cards["onlyDue"] is True
    assert [(c["chapter"], c["key"]) for c in cards["cards"]] == [
        (chapter, card.key) for chapter in done for card in study.load(chapter).flashcards
    ]


def test_a_matching_game_needs_two_pairs():
    with pytest.raises(ValueError, match=r"^matching: pairs expected two or more, got 1"):
        figures.matching([{"term": "a", "definition": "b"}])


# ---- where no script and no style comes through: VS Code, Colab, GitHub


class Sanitised(HTMLParser):
    """The words of an HTML text as a front end shows it that lets no script, style, class or handler through."""

    def __init__(self):
        super().__init__()
        self.words, self.inside = [], []

    def handle_starttag(self, tag, attrs):
        if tag in {"script", "style"}:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.words += re.findall(r"[^\s]+", data)


def shown_words(html):
    """Return the words of an HTML text without scripts, styles and attributes."""
    parser = Sanitised()
    parser.feed(re.sub(r"(</(?:li|p|dt|dd|summary|div|h3|b|td|th|figcaption)>)", r" \1 ", html))
    return " ".join(parser.words)


def bare(text):
    """Return a text of the aids as its words are shown."""
    return shown_words(study.block(text))


def texts_of(aid, chapter):
    """Return what a reader must find, in order."""
    a = study.load(chapter)
    return {
        "objectives": lambda: [o.text for o in a.objectives],
        "dialogue": lambda: [t.say for t in a.dialogue],
        "summary": lambda: [a.summary.quick, a.summary.standard, a.summary.detailed],
        "flashcards": lambda: [text for c in a.flashcards for text in (c.front, c.back)],
        "matching": lambda: [text for t in a.terms for text in (t.term, t.definition)],
        "quiz": lambda: [
            text for q in a.quiz for text in (q.question, *(o.text for o in mixed(q)), *(o.why for o in mixed(q)))
        ],
        "concepts": lambda: [*a.concepts, *a.applications],
        "memory": lambda: [a.memory.acronym, a.memory.rhyme, a.memory.story, a.memory.picture],
        "open_questions": lambda: [q.question for q in a.open_questions],
    }[aid]()


@pytest.mark.parametrize("aid", AIDS)
@pytest.mark.parametrize("chapter", study.chapters())
def test_without_script_and_style_all_words_of_an_aid_are_there_in_order(aid, chapter, monkeypatch):
    monkeypatch.setenv("NEURONS_SITE", "1")
    words = shown_words(getattr(study, aid)(chapter)._repr_mimebundle_()["text/html"])
    at = 0
    for text in texts_of(aid, chapter):
        found = words.find(bare(text), at)
        assert found >= 0, f"{bare(text)!r} is missing after {words[max(0, at - 40) : at]!r}"
        at = found + len(bare(text))


def test_no_aid_holds_a_handler_or_hides_its_words_behind_style(monkeypatch):
    monkeypatch.setenv("NEURONS_SITE", "1")
    for aid in AIDS:
        html = getattr(study, aid)("01")._repr_mimebundle_()["text/html"]
        assert not re.search(
            r"<[^>]+\s(?:on\w+|style|hidden)\b=?", re.sub(r"<script.*?</script>", "", html, flags=re.S)
        )
