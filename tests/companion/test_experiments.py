"""Recorded experiments: their code is the one that ran, they can be run again, and the designs are what they say."""

import itertools
import json

import experiments as tool
import pytest
import torch

from companion import experiments
from companion.experiments import ablation, stopping


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
            ValueError,
            match="experiments: name expected one of ablation, patients, search, search_race, stopping, got other",
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
