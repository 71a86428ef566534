"""The training script as one meets it at work: started, killed, stopped, gone on with, started twice."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from companion import training
from companion.data import digits, train_val_test_split
from companion.models import mlp
from companion.random import generator
from companion.train import RULES, Config, app, claim, prepare, train

ROOT = Path(__file__).resolve().parents[2]
LONG = 240  # seconds, for a machine that does other things too
EPOCHS = 60  # long enough to be killed twice
OPTIONS = ("--hidden", 32, "--decay", 0.01, "--epochs", EPOCHS, "--test")


def run(*options: object):
    return CliRunner().invoke(app, [str(option) for option in options])


def start(folder: Path, *options: object) -> subprocess.Popen:
    """Start the script as a process of its own, on one thread, which Ctrl-C reaches."""
    command = [sys.executable, "-m", "companion.train", "--out", str(folder), *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    reachable = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=reachable
    )


def rows(folder: Path) -> list[dict[str, str]]:
    """Return the log without its clock; a half line would lack a column."""
    path = folder / "log.csv"
    if not path.exists():
        return []
    with open(path, newline="") as file:
        found = list(csv.DictReader(file))
    assert all(None not in row.values() and row.pop("seconds") for row in found)
    return found


def beginning(folder: Path, epochs: int) -> list[str]:
    """Return the first lines of the log with their clock: a run that began anew would have another one."""
    return (folder / "log.csv").read_text().splitlines()[: epochs + 1]


def stopped_by(which: signal.Signals, process: subprocess.Popen, folder: Path, epochs: int) -> tuple[int, str]:
    """Stop the script once its log has so many epochs; return its status and what it said."""
    deadline = time.monotonic() + LONG
    while len(rows(folder)) < epochs and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(which)
    said = process.communicate(timeout=LONG)[1]
    assert len(rows(folder)) < EPOCHS, "it was over before it was stopped"
    assert not (folder / "result.json").exists()
    return process.returncode, said


def outcome(folder: Path) -> dict:
    """Return the result without its clock."""
    found = json.loads((folder / "result.json").read_text())
    assert found.pop("seconds") > 0
    return found


def same_run(one: Path, other: Path) -> bool:
    """Tell whether two runs gave the same result, log and bits of the weights."""
    best, last = (
        [torch.load(run / name, weights_only=True) for run in (one, other)] for name in ("best.pt", "last.pt")
    )
    pairs = [
        (content[0]["model"][name], content[1]["model"][name]) for content in (best, last) for name in best[0]["model"]
    ]
    pairs += [(best[0][name], best[1][name]) for name in ("mean", "scale")]
    bits = all(torch.equal(a, b) for a, b in pairs)
    return outcome(one) == outcome(other) and rows(one) == rows(other) and bits


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    process = start(folder, *OPTIONS)
    said, errors = process.communicate(timeout=LONG)
    assert process.returncode == 0, errors
    assert said.startswith(f"{folder}: accuracy 0.9")
    return folder


# --- kills and Ctrl-C -------------------------------------------------------------------------------------


def test_a_run_killed_twice_gives_the_bits_of_one_that_was_not(whole, tmp_path):
    folder = tmp_path / "run"
    assert stopped_by(signal.SIGKILL, start(folder, *OPTIONS), folder, 5) == (-signal.SIGKILL, "")
    saved = torch.load(folder / "last.pt", weights_only=True)["epoch"]
    assert 4 <= saved < EPOCHS
    before = beginning(folder, saved)
    again = stopped_by(signal.SIGKILL, start(folder, *OPTIONS, "--resume"), folder, len(rows(folder)) + 10)
    assert again == (-signal.SIGKILL, "")
    assert torch.load(folder / "last.pt", weights_only=True)["epoch"] > saved
    process = start(folder, *OPTIONS, "--resume")
    errors = process.communicate(timeout=LONG)[1]
    assert process.returncode == 0, errors
    assert same_run(folder, whole)
    assert beginning(folder, saved) == before


def test_ctrl_c_is_one_sentence_and_costs_no_bit(whole, tmp_path):
    folder = tmp_path / "run"
    status, said = stopped_by(signal.SIGINT, start(folder, *OPTIONS), folder, 5)
    done = torch.load(folder / "last.pt", weights_only=True)["epoch"]
    before = beginning(folder, done)
    assert status == 130
    assert said == f"Stopped by Ctrl-C after {done} of {EPOCHS} epochs. The same command with --resume goes on.\n"
    process = start(folder, *OPTIONS, "--resume")
    errors = process.communicate(timeout=LONG)[1]
    assert process.returncode == 0, errors
    assert same_run(folder, whole)
    assert beginning(folder, done) == before


def test_a_kill_before_the_result_is_written_loses_nothing(tmp_path, monkeypatch):
    config = Config(data="iris", epochs=6, patience=2)
    for name in ("whole", "killed"):
        claim(tmp_path / name, config, resume=False)
    train(config, tmp_path / "whole")
    monkeypatch.setattr("companion.train.write_atomically", lambda path, content: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        train(config, tmp_path / "killed")
    monkeypatch.undo()
    assert not (tmp_path / "killed" / "best.pt").exists()
    assert claim(tmp_path / "killed", config, resume=True) is None
    train(config, tmp_path / "killed")
    assert same_run(tmp_path / "killed", tmp_path / "whole")


# --- what is in the folder --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A short run on one thread, and what was said."""
    folder = tmp_path_factory.mktemp("done") / "deep" / "run"
    result = run("--out", folder, "--epochs", 4)
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_folder_holds_what_was_asked_for_what_was_measured_and_what_came_out(done):
    folder, said = done
    assert {path.name for path in folder.iterdir()} == {"config.json", "log.csv", "last.pt", "best.pt", "result.json"}
    assert json.loads((folder / "config.json").read_text()) == dataclasses.asdict(Config(epochs=4))
    log, result = rows(folder), outcome(folder)
    assert [int(row["epoch"]) for row in log] == [0, 1, 2, 3]
    rates = [float(row["lr"]) for row in log]
    assert rates == pytest.approx([0.1, 0.0853553, 0.05, 0.0146447], abs=1e-6)  # 0.05 (1 + cos(pi t / 4))
    best = min(range(4), key=lambda t: float(log[t]["val_loss"]))
    assert (result["epochs"], result["best_epoch"]) == (4, best)
    assert result["rows"] == {"train": 1078, "val": 360, "test": 359}
    assert result["val"]["cross_entropy"] == pytest.approx(float(log[best]["val_loss"]), rel=1e-6)
    assert result["val"]["accuracy"] == pytest.approx(float(log[best]["accuracy"]))
    assert (result["test"], result["threads"], result["torch"]) == (None, torch.get_num_threads(), torch.__version__)
    assert said.startswith(f"{folder}: accuracy {result['val']['accuracy']:.3f} (val); 4 epochs in ")
    assert "(test)" not in said


def test_best_weights_and_scale_are_enough_to_use_the_model(done):
    folder, _ = done
    kept = torch.load(folder / "best.pt", weights_only=True)
    model = mlp([64, 64, 10])
    training.load_weights(model, folder / "best.pt")
    table = digits()
    val = train_val_test_split(len(table), stratify=table.y, generator=generator(0)).val
    X = ((table.X[val].double() - kept["mean"]) / kept["scale"]).float()
    assert training.accuracy(model, X, table.y[val]) == outcome(folder)["val"]["accuracy"]


def test_scale_is_measured_on_the_training_rows_alone():
    parts, scale = prepare(Config())
    table = digits()
    split = train_val_test_split(len(table), stratify=table.y, generator=generator(0))
    assert torch.equal(scale.mean, table.X[split.train].double().mean(0))
    assert not torch.equal(scale.mean, table.X.double().mean(0))
    counts = torch.bincount(parts["test"][1])
    assert (counts.double() / counts.sum() - torch.bincount(table.y) / len(table)).abs().max() < 1 / 359


def test_another_seed_trains_otherwise_on_the_same_rows(tmp_path):
    results = {}
    for name, config in {
        "a": Config(data="iris", epochs=2),
        "again": Config(data="iris", epochs=2),
        "b": Config(data="iris", epochs=2, seed=1),
    }.items():
        (tmp_path / name).mkdir()
        results[name] = train(config, tmp_path / name)["weights_sha256"]
    assert results["a"] == results["again"] != results["b"]
    assert torch.equal(prepare(Config())[0]["test"][0], prepare(Config(seed=1))[0]["test"][0])
    assert not torch.equal(prepare(Config())[0]["test"][0], prepare(Config(split_seed=1))[0]["test"][0])


def test_a_wider_layer_leaves_the_order_of_rows_alone(tmp_path, monkeypatch):
    states = {}

    def look(model, *data, generator, **options):
        states[model[0].out_features] = (generator.get_state(), model[0].bias[:8].tolist())
        raise SystemExit

    monkeypatch.setattr(training, "fit", look)
    for hidden in (8, 16):
        with pytest.raises(SystemExit):
            train(Config(data="iris", hidden=hidden), tmp_path)
    (narrow, weights), (wide, others) = states[8], states[16]
    assert torch.equal(narrow, wide)
    assert weights != others
    assert not torch.equal(narrow, generator(0).get_state())


def test_patience_ends_a_run_and_the_best_weights_are_kept(tmp_path):
    (tmp_path / "run").mkdir()
    result = train(Config(data="wine", epochs=200, lr=1.0, patience=3), tmp_path / "run")
    losses = [float(row["val_loss"]) for row in rows(tmp_path / "run")]
    assert result["epochs"] == len(losses) == result["best_epoch"] + 4 < 200
    assert result["val"]["cross_entropy"] == pytest.approx(min(losses), rel=1e-6)


def test_decay_and_precision_reach_the_training(tmp_path):
    hashes = set()
    for name, config in {
        "plain": Config(data="wine", epochs=3),
        "decay": Config(data="wine", epochs=3, decay=0.1),
        "short": Config(data="wine", epochs=3, precision="bfloat16"),
    }.items():
        (tmp_path / name).mkdir()
        hashes.add(train(config, tmp_path / name)["weights_sha256"])
    assert len(hashes) == 3


# --- a second command on the same folder ------------------------------------------------------------------


def test_a_finished_run_is_not_written_over(done):
    folder, _ = done
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for options in ((), ("--lr", 0.2)):
        result = run("--out", folder, "--epochs", 4, *options)
        assert result.exit_code == 2
        assert result.output == (
            f"train: --out expected a new folder, got '{folder}' with a finished run; choose another, or add --resume\n"
        )
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_finished_run_is_told_again_and_its_test_rows_are_measured_when_asked(tmp_path):
    options = ("--out", tmp_path / "run", "--data", "wine", "--epochs", 3)
    first = run(*options)
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    again = run(*options, "--resume")
    assert (again.exit_code, again.output) == (0, first.output)
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    measured = run(*options, "--resume", "--test")
    result = outcome(tmp_path / "run")
    assert f"(val) and {result['test']['accuracy']:.3f} (test)" in measured.output
    assert (tmp_path / "run" / "log.csv").read_bytes() == before[tmp_path / "run" / "log.csv"]
    assert result["weights_sha256"] == json.loads(before[tmp_path / "run" / "result.json"])["weights_sha256"]


def test_an_unfinished_run_goes_on_only_when_asked_and_with_its_own_options(tmp_path):
    folder = tmp_path / "run"
    assert claim(folder, Config(epochs=4), resume=False) is None
    refused = run("--out", folder, "--epochs", 4)
    assert (refused.exit_code, "with an unfinished run; choose another, or add --resume" in refused.output) == (2, True)
    other = run("--out", folder, "--lr", 0.2, "--batch-size", 32, "--epochs", 4, "--resume")
    assert other.exit_code == 2
    assert other.output == (
        f"train: --resume expected the options of '{folder}', got --lr 0.2 (before 0.1), --batch-size 32 (before 64); "
        "repeat those of before, or begin a new run with another --out\n"
    )
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("a year of work")
    for folder in (tmp_path, tmp_path / "thesis.txt"):
        result = run("--out", folder, "--resume")
        assert result.exit_code == 2
        assert len(result.output.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_kill_left_before_the_options_were_written_is_no_run(tmp_path):
    half = tmp_path / ".config.json.7.part"
    half.write_text('{"data": "di')
    assert claim(tmp_path, Config(), resume=False) is None
    assert json.loads((tmp_path / "config.json").read_text()) == dataclasses.asdict(Config())
    assert claim(tmp_path, Config(), resume=True) is None
    assert not half.exists()


def test_resume_begins_where_there_is_nothing(tmp_path):
    result = run("--out", tmp_path / "run", "--data", "iris", "--epochs", 1, "--resume")
    assert result.exit_code == 0
    assert len(rows(tmp_path / "run")) == 1


@pytest.mark.parametrize("name", ["config.json", "result.json"])
@pytest.mark.parametrize("content", [b'{"val"', b"[]", b"\xff\xfe"])
def test_a_file_of_the_run_that_somebody_changed_is_named(tmp_path, name, content):
    claim(tmp_path, Config(), resume=False)
    (tmp_path / name).write_bytes(content)
    result = run("--out", tmp_path, "--resume")
    assert result.exit_code == 2
    assert result.output == (
        f"train: --resume expected '{tmp_path / name}' as the run wrote it, got something else; "
        "put it right, or begin a new run with another --out\n"
    )
    assert (tmp_path / name).read_bytes() == content


# --- wrong values -----------------------------------------------------------------------------------------

WRONG = {
    "data": "mnist",
    "hidden": 0,
    "lr": "nan",
    "epochs": 0,
    "batch_size": 0,
    "decay": -0.1,
    "seed": -1,
    "split_seed": 2**64,
    "patience": -1,
    "precision": "float64",
    "device": "abacus",
}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Config)])
def test_wrong_value_says_what_was_expected_what_came_and_what_to_do(tmp_path, field):
    option = "--" + field.replace("_", "-")
    result = run("--out", tmp_path / "run", option, WRONG[field])
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert f"got {WRONG[field]}" in result.output.replace("'", "")
    hint = "pick() takes the fastest that is there" if field == "device" else RULES[field][2]
    assert result.output.endswith(f"; {hint}\n")
    assert option in result.output or field == "device"
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA GPU")
def test_float16_without_cuda_is_refused_before_anything_is_written(tmp_path):
    result = run("--out", tmp_path / "run", "--precision", "float16", "--device", "cpu")
    assert result.exit_code == 2
    assert result.output.startswith("train: --precision expected float32 or bfloat16 on cpu, got 'float16'")
    assert not (tmp_path / "run").exists()


def test_word_for_a_number_is_refused_by_the_command_line(tmp_path):
    result = run("--out", tmp_path / "run", "--lr", "fast")
    assert result.exit_code == 2
    assert "'--lr'" in result.output


def test_loss_that_leaves_the_numbers_is_one_sentence_with_advice(tmp_path):
    result = run("--out", tmp_path / "run", "--lr", 1e6, "--data", "wine")
    assert result.exit_code == 1
    assert "loss became nan" in result.output
    assert "try a learning rate below" in result.output
    assert not (tmp_path / "run" / "result.json").exists()


def test_missing_tensorboard_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    result = run("--out", tmp_path / "run", "--tensorboard")
    assert result.exit_code == 2
    assert result.output.endswith("pip install 'neurons-to-gans[tensorboard]' brings it\n")
    assert not (tmp_path / "run").exists()


def test_disk_that_refuses_is_one_sentence(tmp_path, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("companion.training.report.write_text", full)
    result = run("--out", tmp_path / "run", "--data", "iris", "--epochs", 2)
    assert (result.exit_code, result.output) == (1, "[Errno 28] No space left on device\n")


def test_damaged_checkpoint_is_named_and_nothing_is_trained(tmp_path):
    claim(tmp_path / "run", Config(data="iris"), resume=False)
    (tmp_path / "run" / "last.pt").write_bytes(b"half of it")
    result = run("--out", tmp_path / "run", "--data", "iris", "--resume")
    assert result.exit_code == 1
    assert "got last.pt, which is truncated or something else" in str(result.exception)
    assert not (tmp_path / "run" / "log.csv").exists()


def test_fault_of_the_program_keeps_its_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr("companion.train.prepare", lambda config: 1 / 0)
    result = run("--out", tmp_path / "run")
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)


def test_help_names_every_option_its_default_and_the_exit_status():
    text = run("--help").output
    for field in dataclasses.fields(Config):
        assert "--" + field.name.replace("_", "-") in text
        assert f"[default: {field.default}]" in " ".join(text.split())
    assert "Exit status: 0 the run is done, 1 the training failed, 2" in " ".join(text.split())
