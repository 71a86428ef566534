"""Study aids in a real browser: what is kept, keyboard and mouse, listening with a fake voice, access, other front ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import figure_page
import pytest
from widgets import mounted, unmounted

from companion import figures

pytestmark = pytest.mark.browser

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUIZ = [
    {
        "id": "bias",
        "objective": "boundary",
        "section": "sums",
        "question": "What does a neuron lose without its bias? <code>&lt;/script&gt;</code>",
        "options": [
            {"text": "The freedom to leave the origin.", "correct": True, "why": "z = 0 at the origin."},
            {"text": "It can no longer turn.", "correct": False, "why": "The weights still turn it."},
            {"text": "Nothing.", "correct": False, "why": "Try the figure with the box ticked."},
        ],
    },
    {
        "id": "xor",
        "objective": "lines",
        "section": "elsewhere-in-the-book",
        "question": "How many lines does XOR need?",
        "options": [
            {"text": "One", "correct": False, "why": "No single line parts the corners."},
            {"text": "Two", "correct": True, "why": "OR is one, AND the other."},
        ],
    },
]
GOALS = [
    {"id": "boundary", "text": "move a <em>boundary</em>", "exercises": ["01.1", "09.9"], "questions": ["bias"]},
    {"id": "lines", "text": "count lines", "exercises": [], "questions": ["xor"]},
]
CARDS = [
    {"key": f"card-{i}", "chapter": "01", "front": f"Question <em>{i}</em>?", "back": f"Answer {i}. <!-- </script> -->"}
    for i in (1, 2, 3)
]
TURNS = [
    {
        "who": "Student",
        "text": "Is w the same as the slope? I think so.",
        "say": "Is w the same as the slope? I think so.",
    },
    {"who": "Teacher", "text": "It stands <b>upright</b> on the line."},
    {"who": "Student", "text": "So turning it turns the line."},
]
TABS = [{"title": t, "html": f"<p>The {t.lower()} version.</p>"} for t in ("Quick", "Standard", "Detailed")]
PAIRS = [{"term": t, "definition": f"what {t} is"} for t in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")]
CHAPTER = {
    "id": "01",
    "title": "Neurons",
    "page": "01_neurons",
    "objectives": ["boundary", "lines"],
    "questions": 2,
    "cards": [c["key"] for c in CARDS],
}
KATEX = (
    '<span class="katex"><span class="katex-mathml"><math xmlns="http://www.w3.org/1998/Math/MathML"><semantics>'
    '<msup><mi>w</mi><mn>2</mn></msup><annotation encoding="application/x-tex">w^2</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true">w²</span></span>'
)
PROSE = (
    f'<section id="sums"><h2>Sums<a class="headerlink" href="#sums">#</a></h2><p>A sum is <b>weighed</b>. Its square is {KATEX} '
    "here.</p><ul><li><p>First point.</p></li><li>Second point.</li></ul>"
    '<div class="cell"><div class="cell_input"><div class="highlight"><pre>a = 1\nb = 2\nprint(a)\n</pre></div></div>'
    '<div class="cell_output"><div class="output"><div class="highlight"><pre>1\n</pre></div></div></div></div>'
    '<figure class="plot"><svg role="img" aria-label="Two bars of 1 and 2." viewBox="0 0 9 9"></svg>'
    "<figcaption>The second is larger</figcaption></figure>"
    "<table><thead><tr><th>p</th><th>q</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
    '<div class="admonition note"><p class="admonition-title">Note</p><p>Mind the units.</p></div>'
    "<details><summary>Answer</summary><p>It is secret.</p></details></section>"
)
SPOKEN = [
    "Sums",
    "A sum is weighed.",
    "Its square is w squared here.",
    "First point.",
    "Second point.",
    "A piece of code of 3 lines is here.",
    "Its output of 1 line is here.",
    "Figure: The second is larger.",
    "Two bars of 1 and 2.",
    "A table of 1 row and 2 columns is here: p, q.",
    "Note",
    "Mind the units.",
    "Folded: Answer.",
]
EXERCISES = '<section id="exercises"><h2>Exercises</h2><ul class="nlist"><li><a href="exercises/01.html#e">01.1 By hand</a></li></ul></section>'


def aids() -> list[figures.Figure]:
    return [
        figures.objectives(GOALS, chapter="01"),
        figures.quiz(QUIZ, chapter="01", objectives=[{"id": g["id"], "text": g["text"]} for g in GOALS]),
        figures.flashcards(CARDS),
        figures.matching(PAIRS, chapter="01"),
        figures.dialogue("weights and slopes", TURNS, chapter="01"),
        figures.tabs(TABS, caption="Summary at three depths"),
        figures.profile([CHAPTER]),
    ]


@pytest.fixture(scope="session")
def aids_page(tmp_path_factory):
    look = "html[data-theme=dark] main>section>ul a,html[data-theme=dark] .headerlink{color:#7cb8f7}"
    parts = "".join(f'<section id="{f.name}"><h2>{f.name}</h2>{f.html}</section>' for f in aids())
    file = tmp_path_factory.mktemp("aids") / "page.html"
    body = f"<h1>Aids</h1>{figures.listener('01').html}<article>{PROSE}</article>{parts}{EXERCISES}"
    file.write_text(figure_page.document(body, figures.modules(), title="Aids", style=look), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def show(opened, aids_page):
    """Return a function that opens the page of all aids at a fixed time."""

    def shown(**options):
        return opened(aids_page, clock=NOON, **options)

    return shown


def aid(page, name):
    return page.locator(f"[data-nfig={name}]")


def press(page, name, text, **more):
    aid(page, name).get_by_role("button", name=text, **more).click()


def kept(page, name):
    return page.evaluate("(n) => JSON.parse(localStorage.getItem('neurons.v1.' + n))", name)


# A voice for headless Chromium, which has none: every utterance is written down and ends after 40 ms.
FAKE_SPEECH = """(voices) => {
  const heard = (window.heard = []), listeners = [];
  let timer = 0;
  const fake = { getVoices: () => window.voices, removeEventListener() {},
    addEventListener: (_, f) => listeners.push(f),
    speak(u) { heard.push({ text: u.text, pitch: u.pitch, rate: u.rate, voice: u.voice && u.voice.name });
      timer = setTimeout(() => u.onend && u.onend(), window.slow || 40); },
    cancel() { clearTimeout(timer); } };
  window.voices = voices;
  window.voicesArrive = (v) => { window.voices = v; listeners.forEach((f) => f()); };
  Object.defineProperty(window, "speechSynthesis", { value: fake, configurable: true });
  window.SpeechSynthesisUtterance = class { constructor(t) { this.text = t; } };
}"""
ANNA, BEN = ({"name": n, "lang": "en-GB", "localService": True} for n in ("Anna", "Ben"))
NONE = f"({FAKE_SPEECH})([]);"
VOICE = f"({FAKE_SPEECH})({json.dumps([ANNA])});"
PATIENT = f"window.slow = 60000; {VOICE}"


# ---- objectives


def test_objectives_keep_their_marks_and_say_how_many(show):
    page = show()
    goals = aid(page, "objectives")
    assert goals.get_by_role("status").first.inner_text() == "Nothing is ticked yet."
    goals.get_by_label("move a boundary").focus()
    page.keyboard.press("Space")
    assert goals.get_by_role("status").first.inner_text() == "1 of 2 ticked."
    assert kept(page, "objectives.01") == ["boundary"]
    page.reload()
    goals.get_by_label("count lines").check()
    assert goals.get_by_role("status").first.inner_text() == "All 2 are ticked."
    goals.get_by_label("move a boundary").uncheck()
    assert kept(page, "objectives.01") == ["lines"]


def test_objectives_lead_to_the_exercise_and_to_the_question(show):
    page = show()
    first = aid(page, "objectives").locator(".nfig-live .nfig-goals li").first
    link = first.get_by_role("link", name="exercise 01.1")
    assert link.get_attribute("href") == "exercises/01.html#e"
    assert link.get_attribute("title") == "01.1 By hand"
    assert "exercise 09.9" in first.inner_text(), "an exercise that the page does not link is named"
    first.get_by_role("link", name="one question of the practice test").click()
    assert page.evaluate("document.activeElement.dataset.question") == "bias"


def test_a_mark_made_in_another_tab_shows_here(show, aids_page):
    page = show()
    other = page.context.new_page()
    other.goto(aids_page)
    aid(other, "objectives").get_by_label("count lines").check()
    page.wait_for_function("document.querySelector('.nfig-live .nfig-tally').textContent.startsWith('1 of 2')")


# ---- practice test


def answer(page, n, text):
    field = aid(page, "quiz").locator("fieldset").nth(n)
    field.get_by_label(text).check()
    field.get_by_role("button", name="Check").click()
    return field.get_by_role("status").inner_text()


def test_quiz_explains_the_chosen_option_and_counts_first_answers(show):
    page = show()
    quiz = aid(page, "quiz")
    score = quiz.locator(".nfig-score")
    assert score.inner_text() == "2 questions. The first answer you check counts."
    first, second = quiz.locator("fieldset").all()
    first.get_by_role("button", name="Check").click()
    assert first.get_by_role("status").inner_text() == "Choose an option first."
    for option in QUIZ[0]["options"][::-1]:
        told = answer(page, 0, option["text"])
        assert told.endswith(option["why"])
        assert ("Right" in told) == option["correct"]
    assert score.inner_text() == "0 of 1 right so far, 1 to go."
    second.get_by_label("Two").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert score.inner_text().startswith("1 of 2 right.")
    assert "</script>" in first.locator("legend").inner_text()


def test_quiz_tells_the_result_by_objective_with_links_to_what_to_read(show):
    page = show()
    answer(page, 0, "Nothing.")
    result = aid(page, "quiz").locator(".nfig-result")
    assert not result.is_visible()
    answer(page, 1, "One")
    assert result.locator("li").all_inner_texts() == [
        "0 of 1: move a boundary. Read again: Sums.",
        "0 of 1: count lines. Read again: elsewhere in the book.",
    ]
    assert result.get_by_role("link").get_attribute("href") == "#sums"
    assert kept(page, "quiz.01") == {"best": 0, "of": 2, "rounds": 1, "missed": ["bias", "xor"]}


def test_quiz_asks_only_the_missed_ones_again_in_another_order(show):
    page = show()
    before = aid(page, "quiz").locator("fieldset").first.locator("label").all_inner_texts()
    answer(page, 0, "Nothing.")
    answer(page, 1, "Two")
    press(page, "quiz", "Only the missed ones")
    fields = aid(page, "quiz").locator("fieldset")
    assert fields.count() == 1
    after = fields.first.locator("label").all_inner_texts()
    assert sorted(after) == sorted(before)
    assert after != before
    assert page.evaluate("document.activeElement.type") == "radio"
    answer(page, 0, QUIZ[0]["options"][0]["text"])
    assert aid(page, "quiz").locator(".nfig-score").inner_text() == "1 of 1 right. All of them."
    assert kept(page, "quiz.01")["rounds"] == 1, "a round of the missed ones is no new result"
    press(page, "quiz", "Try again")
    assert fields.count() == 2
    assert aid(page, "quiz").locator("input:checked").count() == 0
    answer(page, 0, QUIZ[0]["options"][0]["text"])
    answer(page, 1, "Two")
    assert kept(page, "quiz.01") == {"best": 2, "of": 2, "rounds": 2, "missed": []}


# ---- flashcards


def test_flashcards_are_scheduled_by_four_answers_and_kept(show):
    page = show()
    deck = aid(page, "flashcards")
    said = deck.locator(".nfig-say")
    assert said.inner_text() == "Due today: 0, new: 3, learned: 0."
    assert "Question 1?" in deck.locator(".nfig-card").inner_text()
    press(page, "flashcards", "Show the back")
    assert "Answer 1." in deck.locator(".nfig-card").inner_text()
    assert deck.locator(".nfig-answers button").all_inner_texts() == [
        "1 Again\n1 minute",
        "2 Hard\n6 minutes",
        "3 Good\n10 minutes",
        "4 Easy\n8 days",
    ]
    press(page, "flashcards", "4 Easy")
    assert said.inner_text() == "Due today: 0, new: 2, learned: 1."
    assert kept(page, "cards.01")["card-1"]["due"] == (NOON.timestamp() + 8 * 86400) * 1000
    assert page.evaluate("document.activeElement.textContent") == "Show the back"
    press(page, "flashcards", "Undo")
    assert said.inner_text() == "Due today: 0, new: 3, learned: 0."
    assert "card-1" not in kept(page, "cards.01")


def test_flashcards_come_back_on_their_day(show):
    page = show()
    for _ in CARDS:
        press(page, "flashcards", "Show the back")
        press(page, "flashcards", "4 Easy")
    said = aid(page, "flashcards").locator(".nfig-say")
    assert said.inner_text() == "Due today: 0, new: 0, learned: 3. The next one comes back in 8 days."
    assert "Nothing more is due now." in aid(page, "flashcards").locator(".nfig-card").inner_text()
    page.clock.set_fixed_time(NOON.replace(day=10))
    page.reload()
    assert said.inner_text() == "Due today: 3, new: 0, learned: 3."
    press(page, "flashcards", "Next")
    assert "Question 2?" in aid(page, "flashcards").locator(".nfig-card").inner_text()


def test_flashcards_work_by_keyboard_alone_and_the_notebook_does_not_hear(show):
    page = show()
    page.evaluate("window.stolen = []; document.addEventListener('keydown', (e) => stolen.push(e.key))")
    face = aid(page, "flashcards").locator(".nfig-card")
    face.focus()
    page.keyboard.press("Space")
    assert "Answer 1." in face.inner_text()
    page.keyboard.press("3")
    assert "Question 2?" in face.inner_text()
    page.keyboard.press("3")
    assert "Question 2?" in face.inner_text(), "a front has no answers"
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    assert set(kept(page, "cards.01")) == {"card-1", "card-2"}
    assert page.evaluate("stolen") == []


# ---- matching game


def test_matching_game_by_keyboard_with_streaks(show):
    page = show()
    game = aid(page, "matching")
    columns = game.locator("ul.nfig-choices")
    terms = columns.nth(0).get_by_role("button").all_inner_texts()
    assert len(terms) == 5
    for n, term in enumerate(terms, 1):
        columns.nth(0).get_by_role("button", name=term, exact=True).focus()
        page.keyboard.press("Enter")
        assert game.get_by_role("status").first.inner_text() == f"Now choose what {term} means."
        columns.nth(1).get_by_role("button", name=f"what {term} is").focus()
        page.keyboard.press("Space")
        assert game.get_by_role("status").first.inner_text().startswith(f"Right: {term}.")
        assert game.locator(".nfig-matched").count() == 2 * n
    assert kept(page, "matching.01") == {"best": 5}
    assert page.evaluate("document.activeElement.textContent") == "New round"
    page.keyboard.press("Enter")
    again = columns.nth(0).get_by_role("button").all_inner_texts()
    assert set(PAIRS[i]["term"] for i in range(6)) - set(terms) <= set(again), "the one that was left out comes next"


def test_matching_game_a_wrong_pair_ends_the_streak_and_a_choice_can_be_taken_back(show):
    page = show()
    game = aid(page, "matching")
    columns = game.locator("ul.nfig-choices")
    first, second = columns.nth(0).get_by_role("button").all_inner_texts()[:2]
    pick = lambda c, name: columns.nth(c).get_by_role("button", name=name).click()  # noqa: E731
    pick(1, f"what {first} is")
    pick(0, first)
    pick(0, second)
    pick(0, second)
    assert game.get_by_role("status").first.inner_text() == "Nothing is chosen."
    pick(0, second)
    wrong = columns.nth(0).get_by_role("button").all_inner_texts()[2]
    pick(1, f"what {wrong} is")
    assert "do not belong together" in game.get_by_role("status").first.inner_text()
    assert game.get_by_text("Streak: 0. Longest: 1.").is_visible()
    assert game.locator(".nfig-matched").count() == 2


# ---- tabs


def test_tabs_follow_the_keyboard_pattern(show):
    page = show()
    tabs = aid(page, "tabs")
    tabs.get_by_role("tab", name="Quick").focus()
    for key, title in (
        ("ArrowRight", "Standard"),
        ("End", "Detailed"),
        ("ArrowRight", "Quick"),
        ("ArrowLeft", "Detailed"),
        ("Home", "Quick"),
    ):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.textContent") == title
        assert tabs.get_by_role("tabpanel").inner_text() == f"The {title.lower()} version."
        assert tabs.locator("[role=tab][aria-selected=true]").inner_text() == title
        assert tabs.locator("[role=tab][tabindex='0']").count() == 1


# ---- progress: shown, saved, taken, erased


def cells(page):
    return aid(page, "profile").locator("tbody tr").first.locator("td").all_inner_texts()


def test_progress_follows_the_other_aids_of_the_page(show):
    page = show()
    assert cells(page) == ["0 of 2", "not yet", "0", "0 of 3"]
    aid(page, "objectives").get_by_label("count lines").check()
    answer(page, 0, "Nothing.")
    answer(page, 1, "Two")
    press(page, "flashcards", "Show the back")
    press(page, "flashcards", "3 Good")
    assert cells(page) == ["1 of 2", "1 of 2", "1", "1 of 3"]
    aid(page, "profile").get_by_label("Name, if you like").fill("Ada <b>")
    page.keyboard.press("Tab")
    assert aid(page, "profile").get_by_text("Progress of Ada <b>").is_visible()


def test_progress_is_saved_as_a_file_erased_and_taken_back(show, tmp_path):
    page = show()
    aid(page, "objectives").get_by_label("count lines").check()
    with page.expect_download() as download:
        press(page, "profile", "Save as a file")
    assert download.value.suggested_filename == "progress-2026-03-02.json"
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    data = json.loads(file.read_text())
    assert (data["version"], data["kept"]) == (1, {"objectives.01": ["lines"]})
    press(page, "profile", "Erase everything")
    assert page.evaluate("document.activeElement.textContent") == "No, keep it"
    press(page, "profile", "No, keep it")
    assert cells(page)[0] == "1 of 2"
    press(page, "profile", "Erase everything")
    press(page, "profile", "Yes, erase")
    assert cells(page)[0] == "0 of 2"
    assert not aid(page, "objectives").get_by_label("count lines").is_checked()
    said = aid(page, "profile").get_by_role("status").first
    for text, told in (
        (file.read_text(), "Taken from the file: 1 entry."),
        ("nonsense", "Nothing was taken: the file is not JSON. Choose one that this page has exported."),
    ):
        file.write_text(text)
        aid(page, "profile").locator("input[type=file]").set_input_files(file)
        page.wait_for_function(
            "(t) => [...document.querySelectorAll('[data-nfig=profile] [role=status]')].some((p) => p.textContent === t)",
            arg=told,
        )
        assert said.inner_text() == told
        assert aid(page, "objectives").get_by_label("count lines").is_checked()


@pytest.mark.parametrize("bad", ["{oops", "[]", '{"due":1}', "null"], ids=["syntax", "list", "shape", "null"])
def test_corrupted_values_are_left_aside_with_a_note_and_the_page_works(show, bad):
    entries = {f"neurons.v1.{n}": bad for n in ("quiz.01", "cards.01", "matching.01", "dialogue.01", "page.01", "name")}
    entries["neurons.v1.objectives.01"] = "{}"
    script = f"for (const [k, v] of Object.entries({json.dumps(entries)})) localStorage.setItem(k, v);"
    page = show(script=script + VOICE)
    note = aid(page, "objectives").locator(".nfig-note")
    told = note.inner_text()
    assert told.startswith("What was kept for the ")
    assert "the check marks of chapter 01" in told
    assert told.endswith(" could not be read and is left aside.")
    aid(page, "objectives").get_by_label("count lines").check()
    press(page, "flashcards", "Show the back")
    press(page, "flashcards", "4 Easy")
    assert kept(page, "objectives.01") == ["lines"]
    assert set(kept(page, "cards.01")) == {"card-1"}
    press(page, "listener", "Play")
    page.wait_for_function("heard.length > 2")


def test_blocked_storage_works_in_memory_and_says_that_nothing_is_kept(show):
    page = show(
        script="Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    line = "This browser keeps nothing for this page, so what you do here is gone when you leave it."
    assert aid(page, "objectives").locator(".nfig-note").inner_text() == line
    aid(page, "objectives").get_by_label("count lines").check()
    assert cells(page)[0] == "1 of 2"


def test_a_full_store_is_said_at_the_first_thing_that_does_not_fit(show):
    page = show(script="Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };")
    note = aid(page, "objectives").locator(".nfig-note")
    assert not note.is_visible()
    aid(page, "objectives").get_by_label("count lines").check()
    assert note.inner_text().startswith("The browser's store is full or closed")
    assert cells(page)[0] == "1 of 2"


def test_nothing_but_the_local_store_is_used(show):
    page = show(script=VOICE)
    aid(page, "objectives").get_by_label("count lines").check()
    press(page, "listener", "Play")
    assert page.context.cookies() == []
    assert page.evaluate("Object.keys(localStorage).every((k) => k.startsWith('neurons.v1.'))")
    assert page.evaluate("sessionStorage.length") == 0


# ---- listening: the dialogue


def test_without_a_voice_one_line_stands_in_place_of_the_buttons(show):
    page = show(script=NONE)
    for name in ("dialogue", "listener"):
        assert aid(page, name).locator(".nfig-silent").is_visible()
        assert aid(page, name).get_by_role("button").count() == 0
    assert aid(page, "dialogue").locator("li:visible").count() == len(TURNS)
    page.evaluate("(v) => voicesArrive(v)", [ANNA])
    for name in ("dialogue", "listener"):
        assert aid(page, name).get_by_role("button", name="Play").is_visible()
        assert not aid(page, name).locator(".nfig-silent").is_visible()


def test_without_the_interface_one_line_stands_there_too(show):
    page = show(script="Object.defineProperty(window, 'speechSynthesis', { value: undefined });")
    assert aid(page, "dialogue").locator(".nfig-silent").is_visible()
    assert aid(page, "listener").locator(".nfig-silent").is_visible()


@pytest.mark.parametrize("voices", [[ANNA], [ANNA, BEN]], ids=["one voice", "two voices"])
def test_dialogue_speaks_every_sentence_with_two_speakers(show, voices):
    page = show(script=f"({FAKE_SPEECH})({json.dumps(voices)})")
    talk = aid(page, "dialogue")
    talk.get_by_label("speed").select_option("1.5")
    press(page, "dialogue", "Play")
    talk.get_by_text("The end.").wait_for()
    heard = page.evaluate("heard")
    assert [h["text"] for h in heard] == [
        "Is w the same as the slope?",
        "I think so.",
        "It stands upright on the line.",
        TURNS[2]["text"],
    ]
    assert {h["rate"] for h in heard} == {1.5}
    sound = [(h["voice"], h["pitch"]) for h in heard]
    assert sound[0] == sound[1] == sound[3] != sound[2]
    assert kept(page, "speed") == 1.5
    assert kept(page, "dialogue.01")["at"] == 0


def test_dialogue_marks_turn_and_sentence_pauses_and_resumes_after_a_reload(show):
    page = show(script=PATIENT)
    talk = aid(page, "dialogue")
    said = talk.get_by_role("status").first
    press(page, "dialogue", "Play")
    assert said.inner_text() == "Turn 1 of 3, Student."
    assert page.evaluate("String([...CSS.highlights.get('nfig-spoken')][0])") == "Is w the same as the slope?"
    press(page, "dialogue", "Next")
    assert talk.locator("li[aria-current=true]").inner_text().startswith("Teacher:")
    press(page, "dialogue", "Pause")
    assert said.inner_text() == "Paused."
    assert page.evaluate("CSS.highlights.has('nfig-spoken')") is False
    press(page, "dialogue", "Next")
    assert len(page.evaluate("heard")) == 2, "Next while paused is silent"
    page.reload()
    assert said.inner_text() == "You stopped at turn 3 of 3. Play goes on from there."
    press(page, "dialogue", "Play")
    assert page.evaluate("heard[0].text") == TURNS[2]["text"]
    press(page, "dialogue", "From the start")
    assert page.evaluate("heard.at(-1).text") == "Is w the same as the slope?"


# ---- listening: the whole page


def test_listener_reads_the_page_in_order_with_formulas_in_words_and_code_skipped(show):
    page = show(script=VOICE)
    press(page, "listener", "Play")
    page.wait_for_function("heard.length >= 13")
    aid(page, "listener").get_by_text("The end of the chapter.").wait_for()
    assert [h["text"] for h in page.evaluate("heard")] == SPOKEN
    assert {h["pitch"] for h in page.evaluate("heard")} == {1}


def test_listener_marks_the_sentence_moves_by_sentence_and_resumes(show):
    page = show(script=PATIENT)
    listener = aid(page, "listener")
    press(page, "listener", "Play")
    for _ in range(2):
        press(page, "listener", "Next sentence")
    assert page.evaluate("heard.at(-1).text") == SPOKEN[2]
    assert page.evaluate("String([...CSS.highlights.get('nfig-spoken')][0])").startswith("Its square is")
    assert listener.get_by_role("status").first.inner_text() == "Reading: Sums"
    assert listener.get_by_text("Sentence 3 of 13.").is_visible()
    press(page, "listener", "Back one sentence")
    assert page.evaluate("heard.at(-1).text") == SPOKEN[1]
    listener.get_by_label("speed").select_option("0.75")
    assert page.evaluate("[heard.at(-1).text, heard.at(-1).rate]") == [SPOKEN[1], 0.75]
    press(page, "listener", "Pause")
    assert listener.get_by_role("status").first.inner_text() == "Paused in: Sums"
    page.reload()
    assert listener.get_by_role("status").first.inner_text() == "Play goes on where you stopped."
    press(page, "listener", "Play")
    assert page.evaluate("[heard[0].text, heard[0].rate]") == [SPOKEN[1], 0.75]
    press(page, "listener", "From the start")
    assert page.evaluate("heard.at(-1).text") == SPOKEN[0]


def test_listener_marks_the_block_where_a_sentence_is_not_on_the_page_or_cannot_be_marked(show):
    page = show(script=PATIENT + "delete CSS.__proto__.highlights; window.Highlight = undefined;")
    press(page, "listener", "Play")
    assert page.locator(".nfig-spoken").evaluate_all("(e) => e.map((x) => x.tagName)") == ["H2"]
    for _ in range(5):
        press(page, "listener", "Next sentence")
    assert page.locator(".nfig-spoken").evaluate_all("(e) => e.map((x) => x.className)") == ["highlight nfig-spoken"]
    press(page, "listener", "Pause")
    assert page.locator(".nfig-spoken").count() == 0


def test_one_speaker_at_a_time(show):
    page = show(script=PATIENT)
    press(page, "listener", "Play")
    press(page, "dialogue", "Play")
    assert aid(page, "listener").get_by_role("button", name="Play").is_visible()
    assert aid(page, "dialogue").get_by_role("button", name="Pause").is_visible()
    press(page, "listener", "Play")
    assert aid(page, "dialogue").get_by_role("button", name="Play").is_visible()
    assert page.evaluate("heard.length") == 3


# ---- other front ends, paper, access


def test_aids_are_readable_without_script(show):
    page = show(js=False)
    assert page.locator(".nfig-fallback:visible").count() == page.locator("figure.nfig").count() == 8
    for wanted in (
        "The quick version.",
        "The detailed version.",
        "upright",
        "Question 3?",
        "what zeta is",
        "count lines",
    ):
        assert page.get_by_text(wanted).first.is_visible()
    aid(page, "quiz").locator("summary").first.click()
    assert page.get_by_text("Right. z = 0 at the origin.").is_visible()


@pytest.mark.parametrize("name", [*(f.name for f in aids()), "listener"])
def test_widget_of_an_aid_renders_alone_and_cleans_up(show, name):
    page = show(script=VOICE)
    on_page = aid(page, name).locator(".nfig-live").inner_text()
    widget = mounted(page, name, json.loads(aid(page, name).locator("script").text_content()))
    assert widget["text"].strip()
    assert name == "matching" or widget["text"] == on_page
    assert widget["held"] > 0
    assert unmounted(page) == 0


STATES = {
    "open": "",
    "answered": """document.querySelectorAll("fieldset").forEach((f) => { f.querySelectorAll("input")[0].click();
        f.querySelector("button").click(); });""",
    "wrong": """document.querySelectorAll("fieldset").forEach((f, i) => { f.querySelectorAll("input")[i ? 0 : 2].click();
        f.querySelector("button").click(); });""",
    "turned": """by("flashcards", "Show the back").click(); by("profile", "Erase everything").click();
        document.querySelectorAll(".nfig-goals input").forEach((i) => i.click());
        const [t, d] = document.querySelectorAll(".nfig-choices"); t.querySelector("button").click();
        [...d.querySelectorAll("button")].find((b) => b.textContent.includes(t.querySelector("button").textContent)).click();
        t.querySelectorAll("button")[1].click(); by("dialogue", "Next").click(); by("listener", "Play").click();
        document.querySelectorAll("details").forEach((d) => (d.open = true));""",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_accessibility_violation_in_any_state(show, mode, width, state):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = show(width=width, script=PATIENT + "localStorage.setItem('neurons.v1.name', '{');")
    page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
    page.evaluate(
        "() => { const by = (n, t) => [...document.querySelectorAll(`[data-nfig=${n}] button`)]"
        f".find((b) => b.textContent.startsWith(t)); {STATES[state]} }}"
    )
    result = axe.run(page)
    found = [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in result.response["violations"]]
    assert found == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_aids_fit_their_width_with_large_targets(show, width):
    page = show(width=width, script=VOICE)
    press(page, "flashcards", "Show the back")
    answer(page, 0, "Nothing.")
    answer(page, 1, "Two")
    press(page, "profile", "Erase everything")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tiny = page.evaluate(
        """() => [...document.querySelectorAll(".nfig button, .nfig input, .nfig select, .nfig summary")]
          .filter((e) => e.getClientRects().length)
          .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
          .filter(([, r]) => r.width < 24 || r.height < 24).map(([h]) => h)"""
    )
    assert tiny == []


def test_focus_stays_visible_in_both_modes(show):
    page = show()
    for mode in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        aid(page, "flashcards").locator(".nfig-card").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outline")
        assert "3px" in outline
        assert "none" not in outline


def test_tab_reaches_every_control_of_the_aids(show):
    page = show(script=VOICE)
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
          .filter((e) => e.tabIndex >= 0 && !e.disabled && e.getClientRects().length && (e.type !== "radio" ||
            e === document.querySelector(`[name=${e.name}]`))).length"""
    )
    seen = set()
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "(() => { const e = document.activeElement; e.dataset.k ||= ++window.kk || (window.kk = 1); "
                "return e === document.body ? 0 : +e.dataset.k; })()"
            )
        )
    assert len(seen - {0}) == wanted
