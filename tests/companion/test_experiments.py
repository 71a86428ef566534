"""Recorded experiments: their code is the one that ran, they can be run again, and the designs are what they say."""

import itertools
import json
import sys

import experiments as tool
import pytest
import torch

from companion import experiments
from companion.experiments import ablation, reliability, search, search_race, stopping, threads
from companion.random import generator


@pytest.mark.parametrize("name", experiments.NAMES)
def test_recording_was_made_by_the_code_that_stands_here(name):
    recording = experiments.recorded(name)
    assert recording.code == experiments.fingerprint(name), f"make experiments NAME={name}, then store what shows it"
    assert set(recording.made) == {"command", "date", "seconds", "machine", "versions"}


def test_fingerprint_changes_with_the_code_and_not_with_comments_or_docstrings(monkeypatch, tmp_path):
    code = '"""Doc."""\n\ndef run():\n    """Say."""\n    return {"a": 1}  # why\n'
    prints = []
    for text in (code, code.replace("Doc", "Other").replace("# why", ""), code.replace("1", "2")):
        (tmp_path / "ablation.py").write_text(text)
        monkeypatch.setattr(experiments, "files", lambda _: tmp_path)
        prints.append(experiments.fingerprint("ablation"))
    assert prints[0] == prints[1] != prints[2]


def test_unknown_experiment_is_refused_by_name():
    for ask in (experiments.module, experiments.fingerprint, experiments.recorded):
        with pytest.raises(
            ValueError, match=f"experiments: name expected one of {', '.join(experiments.NAMES)}, got other"
        ):
            ask("other")


def test_tool_records_results_with_the_code_that_made_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(ablation, "run", lambda: {"answer": [1, 2]})
    monkeypatch.setattr(tool, "RECORDED", tmp_path)
    monkeypatch.setattr(tool.notebooks, "ROOT", tmp_path)
    tool.main(["ablation"])
    written = json.loads((tmp_path / "ablation.json").read_text())
    assert written["results"] == {"answer": [1, 2]}
    assert written["code"] == experiments.fingerprint("ablation")
    assert "ablation.json written" in capsys.readouterr().out


def test_design_mixes_no_main_effect_with_another_or_with_a_pair():
    signs = torch.where(ablation.design(), 1.0, -1.0)
    assert len({tuple(row) for row in signs.tolist()}) == 16
    assert torch.equal(signs.T @ signs, 16 * torch.eye(8))
    for i, j in itertools.combinations(range(8), 2):
        assert torch.equal(signs.T @ (signs[:, i] * signs[:, j]), torch.zeros(8))


def test_errors_of_a_network_do_not_depend_on_its_neighbours():
    pair = torch.cat([ablation.chosen(), ablation.chosen("shifted images", "mixup", "dropout")])
    together = ablation.errors(pair, [3, 1], steps=40)
    assert together.shape == (2, 2)
    assert torch.equal(ablation.errors(pair[1:], [1], steps=40), together[1:, 1:])


def test_every_mean_changes_what_is_learned():
    settings = torch.cat([ablation.chosen(), *[ablation.chosen(name) for name in ablation.MEANS]])
    wrong = ablation.errors(settings, [0, 1], steps=60)
    for k, name in enumerate(ablation.MEANS, start=1):
        assert not torch.equal(wrong[k], wrong[0]), name


def test_a_recorded_row_comes_out_again():
    results = experiments.recorded("ablation").results
    again = ablation.errors(torch.tensor(results["settings"][:1]).bool(), [0])
    assert again.item() == pytest.approx(results["wrong"][0][0], abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 8), [0]), "settings expected"),
        ((torch.zeros(8).bool(), [0]), "settings expected"),
        ((ablation.chosen(), []), "a seed"),
        ((ablation.chosen(), [0], 5), "20 steps or more"),
    ],
)
def test_errors_refuse_what_they_cannot_use(arguments, message):
    with pytest.raises(ValueError, match=message):
        ablation.errors(*arguments)


def test_chosen_names_the_means_that_there_are_when_one_is_unknown():
    with pytest.raises(ValueError, match=r"weight decay, dropout, .*got bagging"):
        ablation.chosen("dropout", "bagging")


# ---- logits of a network that is too sure


def test_recorded_logits_come_out_again():
    results = experiments.recorded("reliability").results
    labels, logits = reliability.answers()
    assert results["labels"] == "".join(map(str, labels.tolist()))
    below = torch.tensor([[int(v) for v in row.split()] for row in results["below"]]) / reliability.GRAIN
    again = logits.max(dim=1, keepdim=True).values - logits
    assert bool((below.min(dim=1).values == 0).all())
    said = [(-one).softmax(dim=1).max(dim=1) for one in (below, again)]
    right = [(one.indices == labels).float().mean().item() for one in said]
    assert right[0] == pytest.approx(right[1], abs=0.03)
    assert said[0].values.mean().item() == pytest.approx(said[1].values.mean().item(), abs=0.02)
    assert (below - again).abs().median() < 2, "on another machine a last bit grows in the training"


def test_long_training_adds_sureness_and_no_right_answers():
    (labels, early), (_, late) = reliability.answers(epochs=30), reliability.answers()
    right = [(one.argmax(dim=1) == labels).float().mean().item() for one in (early, late)]
    sure = [one.softmax(dim=1).max(dim=1).values.mean().item() for one in (early, late)]
    loss = [torch.nn.functional.cross_entropy(one, labels).item() for one in (early, late)]
    assert right[0] == pytest.approx(right[1], abs=0.02)
    assert sure[1] > sure[0] + 0.03 > right[1] + 0.03
    assert loss[1] > 1.15 * loss[0]


# ---- curves to stop by


def test_recorded_curves_begin_as_they_come_out_again():
    results = experiments.recorded("stopping").results
    seen = stopping.curves(steps=100)
    assert seen["held"].shape == (10, stopping.NETWORKS, len(stopping.SIZES))
    for k, network in enumerate(results["networks"]):
        for i, size in enumerate(stopping.SIZES):
            recorded = [int(v) / 1000 for v in network["held"][str(size)].split()]
            assert len(recorded) == stopping.STEPS // results["every"]
            assert recorded[:10] == pytest.approx(seen["held"][:, k, i].tolist(), abs=0.05)
        wrong = [int(v) / 1000 for v in network["wrong"].split()]
        assert wrong[:10] == pytest.approx(seen["wrong"][:, k].tolist(), abs=0.03)
    assert len(results["networks"]) == stopping.RECORDED


def test_recorded_curves_turn_and_larger_validation_sets_lie_nearer_to_each_other():
    networks = experiments.recorded("stopping").results["networks"]
    held = torch.tensor([[[int(v) for v in n["held"][str(s)].split()] for s in stopping.SIZES] for n in networks])
    assert bool((held[..., -1] > held.min(dim=2).values).all()), "every curve has its lowest point before the end"
    spread = held.double().std(dim=0).mean(dim=1)  # between networks, by size
    assert spread[0] > 1.5 * spread[2]
    wrong = torch.tensor([[int(v) for v in n["wrong"].split()] for n in networks])
    assert bool((wrong[:, -1] > wrong.min(dim=1).values + 40).all())


def test_curves_refuse_a_training_without_a_look():
    with pytest.raises(ValueError, match="steps expected 10 or more, got 9"):
        stopping.curves(steps=9)


def test_a_training_is_the_same_to_the_bit_when_nothing_is_changed_and_one_bit_is_one_bit():
    (weights, said), (again, said_again) = threads.trained(steps=20), threads.trained(steps=20)
    assert torch.equal(weights, again)
    assert torch.equal(said, said_again)
    first, nudged = (torch.cat([w.detach().flatten() for w in threads._start(0, nudge)]) for nudge in (False, True))
    assert (first != nudged).sum() == 1
    assert 0 < (first - nudged).abs().max() < 1e-6
    assert not torch.equal(threads.trained(nudge=True, steps=20)[0], weights)


def test_threads_are_put_back_after_a_training():
    before = torch.get_num_threads()
    threads.trained(threads=before + 1, steps=20)
    assert torch.get_num_threads() == before


def test_fewer_steps_than_a_look_are_refused():
    with pytest.raises(ValueError, match="trained: steps expected 20 or more, got 3"):
        threads.trained(steps=3)


# ---- a table to search in


def settings(*rows):
    return [search.SPACE.points(search.SPACE.grid(search.COUNTS))[k] for k in rows]


def recorded_table():
    return torch.stack([search.unpacked(text) for text in experiments.recorded("search").results["wrong"]])


def test_table_has_every_setting_with_every_seed_and_its_values():
    results, wrong = experiments.recorded("search").results, recorded_table()
    assert wrong.shape == (1456, search.SEEDS)
    assert ((wrong > 0.05) & (wrong <= 0.95)).all()
    assert [len(values) for values in results["axes"].values()] == list(search.COUNTS)
    assert results["axes"]["width"] == [8, 16, 32, 64]
    for (name, axis), values in zip(search.SPACE.axes.items(), results["axes"].values()):
        assert (values[0], values[-1]) == (axis.low, axis.high), name
        assert values == sorted(values)


def test_recorded_settings_come_out_again():
    rows = [112 * 4 + 28 * 2 + 4 * 4, 112 * 3 + 28 + 4 * 2 + 3]
    again = search.errors(settings(*rows), [0, 5])
    torch.testing.assert_close(again.double(), recorded_table()[rows][:, [0, 5]], rtol=0, atol=0.02)


def test_errors_of_a_setting_depend_neither_on_its_neighbours_nor_on_their_order():
    some = settings(800, 3, 801, 1455)
    together = search.errors(some, [3, 1], steps=30)
    assert together.shape == (4, 2)
    assert torch.equal(search.errors(some[::-1], [3, 1], steps=30), together.flip(0))
    assert torch.equal(search.errors(some[2:3], [1], steps=30), together[2:3, 1:])


@pytest.mark.parametrize("axis", range(4))
def test_every_hyperparameter_and_the_seed_change_what_is_learned(axis):
    places = [6, 2, 4, 1]
    other = [place - (k == axis) for k, place in enumerate(places)]
    wrong = search.errors(settings(search_race.row(places), search_race.row(other)), [0, 1], steps=100)
    assert not torch.equal(wrong[0], wrong[1])
    assert wrong[0, 0] != wrong[0, 1]


def test_a_fifth_of_the_labels_is_dealt_anew_and_no_asked_digit_is_known():
    X, y, asked, answers = search.digits_of_the_search()
    assert (len(X), len(y), len(asked), len(answers)) == (300, 300, 1497, 1497)
    known = {tuple(row) for row in X.tolist()}
    assert sum(tuple(row) in known for row in asked.tolist()) == 0
    digits = search.data.digits()
    true = {tuple((row / 16).tolist()): int(label) for row, label in zip(digits.X, digits.y)}
    wrong = sum(true[tuple(row)] != label for row, label in zip(X.tolist(), y.tolist()))
    assert 30 < wrong < 75  # 0.2 * 0.9 * 300 = 54


def test_what_runs_away_is_counted_as_wrong():
    wrong = search.errors([{"lr": 1e9, "width": 8, "decay": 1e-5, "dropout": 0.0}], [0], steps=20)
    assert 0.8 < wrong.item() < 0.95


def test_numbers_are_packed_and_unpacked():
    shares = [0.0912, 0.85, 0.1]
    assert search.packed(shares) == "912 8500 1000"
    assert search.unpacked(search.packed(shares)).tolist() == pytest.approx(shares)
    assert search.packed([3, 17], 1) == "3 17"


@pytest.mark.parametrize("arguments", [([], [0]), (settings(0), []), (settings(0), [0], 0)])
def test_table_refuses_what_it_cannot_train(arguments):
    with pytest.raises(ValueError, match="errors: settings, seeds and steps expected one of each or more"):
        search.errors(*arguments)


# ---- five methods that search it

SHOWN = torch.rand(1456, generator=generator(0))


@pytest.mark.parametrize("method", search_race.METHODS)
@pytest.mark.parametrize("budget", search_race.BUDGETS)
def test_method_keeps_its_budget_and_reports_what_is_shown(method, budget):
    found = search_race.searched(method, SHOWN, budget, seed=3)
    assert len(found.indices) == budget
    torch.testing.assert_close(found.values, SHOWN[found.indices].double())
    if method != "TPE":  # it may choose a setting again
        assert len(set(found.indices.tolist())) == budget
    assert torch.equal(search_race.searched(method, SHOWN, budget, seed=3).indices, found.indices)
    assert not torch.equal(search_race.searched(method, SHOWN, budget, seed=4).indices, found.indices)


def test_grid_has_as_many_places_on_each_axis_as_planned():
    places = torch.cartesian_prod(*[torch.arange(count) for count in search.COUNTS])
    for budget in search_race.BUDGETS:
        for seed in range(20):
            rows = search_race.shifted_grid(search_race.grid_of(budget), generator(seed))
            assert [len(places[rows][:, axis].unique()) for axis in range(4)] == search_race.grid_of(budget)
    assert [search_race.row(place) for place in places[::97].tolist()] == list(range(0, 1456, 97))


def test_grids_reach_every_place_of_an_axis():
    seen = {row // 112 for seed in range(300) for row in search_race.shifted_grid([4, 1, 1, 1], generator(seed))}
    assert seen == set(range(13))


def test_one_axis_at_a_time_moves_along_one_axis_and_goes_on_from_the_best():
    places = torch.cartesian_prod(*[torch.arange(count) for count in search.COUNTS])
    target = torch.tensor([9, 3, 2, 0])
    bowl = (places - target).double().square().sum(dim=1)
    found = search_race.one_axis_at_a_time(lambda k: float(bowl[k]), 60, generator(1))
    steps = (places[found.indices][:8] != places[found.indices][0]).sum(dim=1)
    assert steps[0] == 0
    assert (steps[1:] == 1).all(), "the first turn varies the rate alone"
    assert places[found.chosen].tolist() == target.tolist()


def test_one_axis_at_a_time_starts_anew_when_nothing_is_left_around():
    flat = search_race.one_axis_at_a_time(lambda k: 0.0 if k == 5 else 1.0, 200, generator(0))
    assert len(set(flat.indices.tolist())) == 200


def test_shown_training_is_not_among_those_that_judge():
    wrong = torch.arange(24.0).view(3, 8)
    for repeat in range(5):
        shown, judged = search_race.shown_and_judged(wrong, repeat)
        torch.testing.assert_close((7 * judged + shown) / 8, wrong.mean(dim=1))
        assert all(v in row for v, row in zip(shown.tolist(), wrong.tolist()))
    different = {tuple(search_race.shown_and_judged(wrong, repeat)[0].tolist()) for repeat in range(20)}
    assert len(different) > 15


def test_few_repeats_name_the_wrong_winner_as_often_as_counted():
    a, b = torch.tensor([1.0, 1.0, 1.0, 1.0]), torch.tensor([0.0, 0.0, 0.0, 2.0])  # b is better on average
    assert search_race.wrong_winner(a, b, 1) == pytest.approx(0.25, abs=0.02)
    assert search_race.wrong_winner(a, b, 2) == pytest.approx(
        0.25, abs=0.02
    )  # 3 of 6 pairs hold the last: a tie, half of it
    assert search_race.wrong_winner(a, b, 4) == 0
    assert search_race.wrong_winner(b, a, 1) == search_race.wrong_winner(a, b, 1)


def test_races_are_those_of_the_table_and_come_out_again():
    recording = experiments.recorded("search_race").results
    assert recording["table"] == experiments.fingerprint("search")
    wrong = search_race.table()
    again = search_race.races(wrong, repeats=2)
    for method in ("grid", "one axis at a time", "random"):  # the others choose by the last digit of a machine
        for budget in map(str, search_race.BUDGETS):
            for what in ("judged", "shown"):
                kept = search.unpacked(recording["races"][method][what][budget])
                assert len(kept) == search_race.REPEATS
                assert kept[:2].tolist() == search.unpacked(again[method][what][budget]).tolist()
    assert again["Gaussian process"]["judged"]["4"] == again["random"]["judged"]["4"], "both begin with the same five"


def test_races_on_the_slice_come_out_again():
    recording = experiments.recorded("search_race").results["slice"]
    again = search_race.slice_races(search_race.table(), repeats=2)
    for method, by_budget in again.items():
        assert [len(text.split()) for text in recording[method].values()] == [search_race.REPEATS] * 4
        if method != "Gaussian process":
            assert all(recording[method][b].startswith(text) for b, text in by_budget.items())


def test_slice_holds_the_settings_of_one_width_and_one_dropout():
    numbered = torch.arange(1456.0)[:, None].expand(1456, 8)
    part = search_race.slice_of(numbered)[:, 0].long()
    picked = settings(*part.tolist())
    assert {(p["width"], round(p["dropout"], 9)) for p in picked} == {(32, 0.2)}
    two = search_race.slice_candidates()
    axes = list(search.SPACE.axes.values())
    assert [p["lr"] for p in picked] == pytest.approx([axes[0].value(u) for u in two[:, 0].tolist()])
    assert [p["decay"] for p in picked] == pytest.approx([axes[2].value(u) for u in two[:, 1].tolist()])


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda: search_race.searched("luck", SHOWN, 4, 0), "searched: method expected one of grid, .*TPE, got luck"),
        (lambda: search_race.wrong_winner(SHOWN, SHOWN, 5), "methods that differ over all repeats, got a tie"),
        (lambda: search_race.wrong_winner(SHOWN, -SHOWN, 0), "repeats expected 1 to 1456, got 0"),
    ],
)
def test_races_refuse_what_they_cannot_run(run, said):
    with pytest.raises(ValueError, match=said):
        run()


def test_missing_optuna_is_named_with_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match="tpe: environment expected the package optuna, got none; pip install optuna"):
        search_race.tpe(lambda k: 0.0, 1, 0)
