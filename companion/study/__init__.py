"""Study aids as data: one YAML file per chapter, checked by a schema, shown in the page and in the notebook.

``companion/aids/NN_topic.yml`` holds the objectives, the dialogue, the summaries, memory aids, flashcards, quiz, open
questions and glossary terms of chapter NN. From it come the sections of the page, the Anki deck and the glossary.
"""

from companion.study.aids import (
    Panel,
    concepts,
    dialogue,
    due_cards,
    flashcards,
    listener,
    matching,
    memory,
    objectives,
    open_questions,
    profile,
    quiz,
    summary,
)
from companion.study.files import chapters, check_anchors, finished, load, parse
from companion.study.markup import block, inline
from companion.study.schema import Aids
from companion.study.source import source

__all__ = [
    "Aids",
    "Panel",
    "block",
    "chapters",
    "check_anchors",
    "concepts",
    "dialogue",
    "due_cards",
    "finished",
    "flashcards",
    "inline",
    "listener",
    "load",
    "matching",
    "memory",
    "objectives",
    "open_questions",
    "parse",
    "profile",
    "quiz",
    "source",
    "summary",
]
