"""What goes wrong with one sweep through a graph (exercise 05.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from companion.checks.bank import Mistake

Parts = dict[str, list[tuple[str, float]]]
Slopes = dict[str, float]


def _order(parts: Parts, last: str, early: bool = False, seen: Iterable[str] = ()) -> list[str]:
    """Return the names that lead to the last one and were not seen, each after its parts; ``early``: each before them."""
    order: list[str] = []
    seen = set(seen)

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        if early:
            order.append(name)
        for part, _ in parts[name]:
            visit(part)
        if not early:
            order.append(name)

    visit(last)
    return order


def _nearest(parts: Parts, last: str) -> list[str]:
    found, order = {last}, [last]
    for name in order:
        new = [part for part in dict(parts[name]) if part not in found]
        order += new
        found.update(new)
    return order


def _newest(parts: Parts, last: str) -> list[str]:
    order, found, waiting = [], {last}, [last]
    while waiting:
        order.append(waiting.pop())
        for part, _ in parts[order[-1]]:
            if part not in found:
                found.add(part)
                waiting.append(part)
    return order


def _swept(
    parts: Parts, last: str, order: Iterable[str], add: Callable[[float, float, float], float], start: float = 0.0
) -> Slopes:
    slopes = dict.fromkeys(parts, start)
    slopes[last] = 1.0
    for name in order:
        for part, slope in parts[name]:
            slopes[part] = add(slopes[part], slope, slopes[name])
    return slopes


def _right(before: float, slope: float, above: float) -> float:
    return before + slope * above


def _with(add: Callable[[float, float, float], float]) -> Callable[[Parts, str], Slopes]:
    return lambda parts, last: _swept(parts, last, reversed(_order(parts, last)), add)


def _through(order: Callable[[Parts, str], Iterable[str]]) -> Callable[[Parts, str], Slopes]:
    return lambda parts, last: _swept(parts, last, order(parts, last), _right)


def _from_zero(parts: Parts, last: str) -> Slopes:
    slopes = dict.fromkeys(parts, 0.0)
    for name in reversed(_order(parts, last)):
        for part, slope in parts[name]:
            slopes[part] += slope * slopes[name]
    return slopes


def _reached_only(
    parts: Parts, last: str, add: Callable[[float, float, float], float] = _right, early: bool = False
) -> Slopes:
    slopes = {last: 1.0}
    for name in _order(parts, last, early=True) if early else reversed(_order(parts, last)):
        for part, slope in parts[name]:
            slopes[part] = add(slopes.get(part, 0.0), slope, slopes[name])
    return slopes


def _as_dicts(parts: Parts, last: str) -> Slopes:
    once = {name: list(dict(made_from).items()) for name, made_from in parts.items()}
    return _with(_right)(once, last)


def _as_sets(parts: Parts, last: str) -> Slopes:
    once = {name: list(dict.fromkeys(made_from)) for name, made_from in parts.items()}
    return _with(_right)(once, last)


def by_counting(parts: Parts, last: str, begin: Sequence[str] | None = None) -> Slopes:
    """Let a value pass its slope on when all that were made from it have had their say.

    It begins with the values that are waited for by none, or with those in ``begin``.
    """
    waits = dict.fromkeys(parts, 0)
    for made_from in parts.values():
        for part, _ in made_from:
            waits[part] += 1
    slopes = {name: float(name == last) for name in parts}
    ready = [name for name in parts if waits[name] == 0] if begin is None else list(begin)
    while ready:
        name = ready.pop()
        for part, slope in parts[name]:
            slopes[part] += slope * slopes[name]
            waits[part] -= 1
            if waits[part] == 0:
                ready.append(part)
    return slopes


def _waiting_for_all(parts: Parts, last: str) -> Slopes:
    return by_counting(parts, last, begin=[last])


def _own_end(parts: Parts, last: str) -> Slopes:
    used = {part for made_from in parts.values() for part, _ in made_from}
    end = next(name for name in parts if name not in used)
    return _with(_right)(parts, end)


def _forwards(parts: Parts, last: str) -> Slopes:
    slopes = dict.fromkeys(parts, 0.0)
    slopes[last] = 1.0
    order: dict[str, None] = {}
    for name in parts:
        if name not in order:
            order |= dict.fromkeys(_order(parts, name, seen=order))
    for name in order:
        for part, slope in parts[name]:
            slopes[name] += slope * slopes[part]
    return slopes


def _overwritten(before: float, slope: float, above: float) -> float:
    return slope * above


_ORDER = (
    Mistake(
        "passes on by nearness",
        _through(_nearest),
        "Where all ways to a value are equally long you are right. Where a short way meets a long one, a part is missing.",
        "You go through the values by their distance from the last one. A value that is near may still be waiting for what "
        "comes over a longer way.",
        "Take y made from x and h, and h made from x. When does x pass its slope on, and what arrives at x after that?",
    ),
    Mistake(
        "follows each way down first",
        _through(lambda parts, last: _order(parts, last, early=True)),
        "Some graphs are right. In others a value passes its slope on before everything has arrived at it.",
        "Each value is put in the order before its parts, as you come to it. Another user of the same part may come later.",
        "Print your order for y made from x and h, and h made from x. Does x stand behind everything that was made from it?",
    ),
    Mistake(
        "takes the newest name from a stack",
        _through(_newest),
        "Some graphs are right. In others a slope is passed on that was still to grow, and what came later is lost.",
        "A stack hands out the name that was put on it last. Whether everything has arrived there is never asked.",
        "Take y made from h and x, h made from k, and k made from x. In which order does your stack hand them out?",
    ),
    Mistake(
        "goes through the order from the front",
        _through(_order),
        "Only the parts of the last value have a slope, and everything behind them has 0.",
        "Your order begins with the inputs, and at that time nothing has arrived there yet that they could pass on.",
        "Which name comes first in your sweep? Only one value has a slope other than 0 at the start.",
    ),
    Mistake(
        "takes the names as they stand in the dict",
        _through(lambda parts, last: reversed(list(parts))),
        "Where the dict lists the values as they were made you are right. With another order slopes are missing.",
        "The place of a name in the dict says nothing about which value was made from which. Only the lists of parts do.",
        "Write the dict of the example down in another order. Should that change a slope?",
    ),
    Mistake(
        "takes the names from the front of the dict",
        _through(lambda parts, last: list(parts)),
        "Slopes arrive only where the dict happens to list a value before its parts.",
        "The sweep goes through the dict from its first name to its last. Most values are asked before anything has arrived.",
        "In which order does your loop visit the names of the example? Which of them has something to pass on by then?",
    ),
    Mistake(
        "carries changes forwards",
        _forwards,
        "Values made from the last one have a slope, and those that it was made from have 0.",
        "You carry a change of the last value on to what was made from it. The task asks what a change of the others does to it.",
        "Along an arrow from a value to its part: which of the two should receive something on the way back?",
    ),
    Mistake(
        "waits for uses that never answer",
        _waiting_for_all,
        "You wait for uses that never answer: values that are not on a way to `last`. What they use never passes its slope on.",
        "You count all arrows that end at a value, and go on when each of them has been used. From a value that `last` was not "
        "made from, the sweep never comes.",
        "Count only the arrows that can be reached from `last`. Which use of `a` in the input shown is not on a way to `last`?",
        best="a use that does not lead to the last value",
    ),
    Mistake(
        "looks for the end itself",
        _own_end,
        "Where `last` is the only value that nobody uses you are right. Otherwise the slopes are those of another value.",
        "Your sweep begins at a value from which nothing was made. The task says where to begin, and it may be in the middle.",
        "Where in your code does `last` occur? Call your function with two different names.",
    ),
)

_STEP = (
    Mistake(
        "overwrites instead of adding",
        _with(_overwritten),
        "Where each value is used once you are right. Where ways meet, the last one alone is left.",
        "Each arrow writes its product over what has arrived before. A value that is used twice has two ways to the end.",
        "In the example three arrows end at w. How many of them have a share in your result?",
    ),
    Mistake(
        "starts with 0",
        _from_zero,
        "All your slopes are 0, also that of the last value by itself.",
        "The sweep passes on what has arrived, times a local slope. If it begins with nothing, nothing ever arrives.",
        "What is the slope of a value by itself? Which entry should hold it before the sweep begins?",
    ),
    Mistake(
        "starts with 1 everywhere",
        lambda parts, last: _swept(parts, last, reversed(_order(parts, last)), _right, start=1.0),
        "Your slopes are too large from the second value on, and inputs that do nothing have the slope 1.",
        "Each value is given a 1 before the sweep begins. One value alone grows by itself, and the others have to receive.",
        "What does your dict hold for w in the example before the first arrow is used? How did that get there?",
    ),
    Mistake(
        "counts ways and leaves local slopes out",
        _with(lambda before, slope, above: before + above),
        "Your numbers do not change when the slopes in `parts` do: each of them counts ways to the last value.",
        "What has arrived is passed on as it is. Each arrow changes it by a factor, and that factor stands in the pair.",
        "Where in your sweep does the second entry of a pair occur?",
    ),
    Mistake(
        "forgets what comes from behind",
        _with(lambda before, slope, above: before + slope),
        "Next to the last value you are right. Farther back the slopes are sums of local slopes only.",
        "An arrow adds its own slope, whatever has arrived at the value from which it starts. So a way is one arrow long.",
        "Make all slopes on the last step twice as large. Which of your numbers change, and which should?",
    ),
    Mistake(
        "adds along the way",
        _with(lambda before, slope, above: before + slope + above),
        "Your slopes are sums along the ways, where products should be.",
        "Local slope and the slope from behind were added. A change that is doubled and then tripled is six times as large.",
        "Take a chain of two arrows with the slopes 2 and 3. What does a change of 0.01 at its start do to its end?",
    ),
    Mistake(
        "counts a part once that is there twice",
        _as_dicts,
        "Where all parts of a value differ you are right. Of a part that stands there twice one entry is lost.",
        "A dict holds each name once, so the second pair with the same name replaces the first.",
        "How many pairs does the list of `a` in the example have, and how many does your loop see?",
    ),
    Mistake(
        "counts equal pairs once",
        _as_sets,
        "In w * w one of the two factors is lost. Pairs with the same name and different slopes are both there.",
        "A set or a test with `in` keeps equal pairs once. Here two equal pairs stand for two uses.",
        "How many ways lead from w to w * w? Look at how your loop treats a pair that it has met before.",
    ),
    Mistake(
        "leaves out values that do not lead to the end",
        _reached_only,
        "All your numbers are right, and names are missing: values from which no way leads to the last one.",
        "Your dict grows as values are reached, and some never are. Their slope is a number too.",
        "How much does the last value change when such a value is turned? Compare your keys with those of `parts`.",
    ),
    Mistake(
        "overwrites instead of adding, and leaves out values that do not lead to the end",
        lambda parts, last: _reached_only(parts, last, _overwritten),
        "Where ways meet only one of them is left, and values that do not lead to the last one are missing.",
        "Each arrow writes over what has arrived before. And your dict holds only names that the sweep came to.",
        "Look at w in the example first: how many arrows end there? Then compare your keys with those of `parts`.",
    ),
)

_BOTH = (
    Mistake(
        "follows each way down first, and leaves out values that do not lead to the end",
        lambda parts, last: _reached_only(parts, last, early=True),
        "In some graphs a slope is passed on before it is complete. And values that do not lead to the last one are missing.",
        "Your order puts each value before its parts as you come to it, though another user of a part may come later. And your "
        "dict holds only names that the sweep came to.",
        "Print your order for y made from x and h, and h made from x. Then compare your keys with those of `parts`.",
    ),
)

MISTAKES = (*_ORDER, *_STEP, *_BOTH)
