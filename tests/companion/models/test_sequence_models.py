"""Networks for sequences: equal to the same network made of PyTorch's layers, and what each promises."""

import copy
import math
import pickle

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from companion import functional as F
from companion.models import CharacterLM, Forecaster, SequenceClassifier, TransformerClassifier, sinusoidal_positions
from companion.optim import Adam
from companion.random import generator


def numbers(*shape):
    return torch.randn(shape, generator=generator(1))


def tokens(*shape, classes=11):
    return torch.randint(1, classes, shape, generator=generator(1))


# name: model, its arguments, its options, its input
MODELS = {
    "lstm classifier": (SequenceClassifier, (3, 5, 4), {}, numbers(6, 7, 3)),
    "two-way gru classifier of tokens": (
        SequenceClassifier,
        (3, 5, 4),
        {"vocab_size": 11, "cell": "gru", "num_layers": 2, "bidirectional": True},
        tokens(6, 7),
    ),
    "rnn classifier": (SequenceClassifier, (3, 5, 4), {"cell": "rnn"}, numbers(6, 7, 3)),
    "forecaster": (Forecaster, (2, 5, 4), {}, numbers(6, 7, 2)),
    "forecaster of values": (Forecaster, (2, 5, 4), {"cell": "gru", "num_layers": 2, "from_last": False}, numbers(6, 7, 2)),
    "character model": (CharacterLM, (11, 3, 5), {"num_layers": 2}, tokens(6, 7)),
    "transformer": (TransformerClassifier, (11, 4), {"d_model": 8, "nhead": 2, "dropout": 0.0}, tokens(6, 7)),
    "transformer, learned places, padding": (
        TransformerClassifier,
        (11, 4),
        {"d_model": 8, "nhead": 2, "dropout": 0.0, "positions": "learned", "padding_idx": 0, "max_length": 9},
        torch.cat([tokens(6, 5), torch.zeros(6, 2, dtype=torch.long)], 1),
    ),
    "transformer, bag of tokens": (
        TransformerClassifier,
        (11, 4),
        {"d_model": 8, "nhead": 4, "dropout": 0.0, "positions": "none", "num_layers": 1},
        tokens(6, 7),
    ),
}  # fmt: skip
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


def make(name):
    model, arguments, options, x = MODELS[name]
    return model(*arguments, generator=generator(0), **options), x


def first(result):
    return result[0] if isinstance(result, tuple) else result


@EVERY_MODEL
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_model_equals_the_one_of_torch_layers_in_value_and_gradient(twin, name, training):
    model, arguments, options, x = MODELS[name]
    ours, theirs = (m.double().train(training) for m in twin(model, *arguments, **options))
    x = x.double() if x.is_floating_point() else x
    torch.testing.assert_close(first(ours(x)), first(theirs(x)), rtol=1e-9, atol=1e-10)
    for m in (ours, theirs):
        first(m(x)).square().sum().backward()
    for (label, p), q in zip(ours.named_parameters(), theirs.parameters()):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-8, atol=1e-10, msg=lambda t, label=label: f"{label}: {t}")


@EVERY_MODEL
def test_model_starts_alike_from_the_same_seed_and_survives_copying(name):
    (ours, x), (again, _) = make(name), make(name)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), again.parameters()))
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert torch.equal(first(other.eval()(x)), first(ours.eval()(x)))


@EVERY_MODEL
def test_model_runs_on_a_pretended_gpu_and_in_half_precision(name):
    ours, x = make(name)
    expected = first(ours.eval()(x))
    short = x.bfloat16() if x.is_floating_point() else x
    torch.testing.assert_close(first(ours.bfloat16()(short)).float(), expected, rtol=0.1, atol=0.1)
    ours, _ = make(name)
    ours.eval()
    with FakeTensorMode(), torch.no_grad():  # made there piece by piece, as PyTorch cannot copy a pretended layer
        kept = [*ours.named_parameters(), *ours.named_buffers()]
        pieces = {k: torch.empty(p.shape, dtype=p.dtype, device="cuda") for k, p in kept}
        fake = torch.func.functional_call(ours, pieces, (torch.empty(x.shape, dtype=x.dtype, device="cuda"),))
        assert first(fake).device.type == "cuda"


@EVERY_MODEL
def test_result_of_a_sequence_does_not_depend_on_its_neighbours(name):
    ours, x = make(name)
    ours.eval()
    torch.testing.assert_close(first(ours(x))[2:3], first(ours(x[2:3])), rtol=1e-4, atol=1e-5)


def test_what_follows_a_sequences_length_changes_nothing():
    ours = SequenceClassifier(3, 5, 4, bidirectional=True, generator=generator(0))
    x, lengths = numbers(4, 7, 3), torch.tensor([3, 7, 1, 5])
    padded = x.clone()
    for i, length in enumerate(lengths):
        padded[i, length:] = math.nan
    got = ours(padded.nan_to_num(9.0), lengths)
    for i, length in enumerate(lengths):
        torch.testing.assert_close(got[i : i + 1], ours(x[i : i + 1, :length]))


def test_padding_tokens_change_nothing_for_the_transformer():
    ours = TransformerClassifier(11, 4, d_model=8, nhead=2, padding_idx=0, generator=generator(0)).eval()
    x = tokens(3, 5)
    longer = torch.cat([x, torch.zeros(3, 4, dtype=torch.long)], 1)
    torch.testing.assert_close(ours(longer), ours(x), rtol=1e-4, atol=1e-5)
    all_padding = torch.zeros(2, 3, dtype=torch.long)
    assert torch.isfinite(ours(all_padding)).all()


def test_only_positions_let_the_transformer_tell_an_order():
    x = tokens(3, 6)
    for positions, blind in (("none", True), ("sinusoidal", False), ("learned", False)):
        ours = TransformerClassifier(11, 4, d_model=8, nhead=2, positions=positions, generator=generator(0)).eval()
        assert torch.allclose(ours(x), ours(x.flip(1)), atol=1e-5) == blind


def test_positions_follow_the_formula_and_turn_by_a_fixed_angle():
    table = sinusoidal_positions(50, 6).double()
    for t in (0, 7, 49):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)
    products = table @ table.T
    for shift in (1, 5):
        torch.testing.assert_close(
            products.diagonal(shift), products[0, shift].expand(50 - shift), rtol=1e-5, atol=1e-5
        )


def test_forecast_is_counted_from_the_last_value_of_the_first_series():
    ours = Forecaster(2, 5, 3, generator=generator(0))
    torch.nn.init.zeros_(ours.head.weight)
    torch.nn.init.zeros_(ours.head.bias)
    x = numbers(4, 6, 2)
    assert torch.equal(ours(x), x[:, -1, :1].expand(4, 3)), "an untaught head is the naive forecast"
    plain = Forecaster(2, 5, 3, from_last=False, generator=generator(0))
    torch.nn.init.zeros_(plain.head.weight)
    torch.nn.init.zeros_(plain.head.bias)
    assert not plain(x).any()


def test_character_model_goes_on_from_its_state():
    ours, x = make("character model")
    ours.eval()
    whole, _ = ours(x)
    start, state = ours(x[:, :3])
    rest, _ = ours(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([start, rest], 1), whole)


def test_character_model_sees_no_future():
    ours, x = make("character model")
    changed = x.clone()
    changed[:, 4:] = 1
    torch.testing.assert_close(ours.eval()(x)[0][:, :4], ours(changed)[0][:, :4])


def taught():
    """Return a model that has learned to say 0, 1, 2, 3, 0, 1, ..."""
    ours = CharacterLM(4, 4, 12, generator=generator(0))
    text = torch.arange(41).remainder(4).unsqueeze(0)
    optimizer = Adam(ours.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        logits, _ = ours(text[:, :-1])
        F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten()).backward()
        optimizer.step()
    return ours


def test_character_model_learns_to_go_on():
    ours = taught()
    assert ours.generate(torch.tensor([2]), 6, temperature=0).tolist() == [3, 0, 1, 2, 3, 0]
    assert ours.training, "generating leaves the mode alone"
    assert ours.generate(torch.tensor([2]), 0).tolist() == []
    drawn = ours.generate(torch.tensor([0, 1]), 5, temperature=0.5, generator=generator(3))
    assert torch.equal(drawn, ours.generate(torch.tensor([0, 1]), 5, temperature=0.5, generator=generator(3)))


def test_drawn_characters_follow_the_softmax_at_any_temperature():
    ours = CharacterLM(3, 2, 4, generator=generator(0))
    for p in ours.parameters():
        torch.nn.init.zeros_(p)
    ours.head.bias.data = torch.tensor([0.0, 1.0, 2.0])
    for temperature in (0.5, 1.0, 3.0):
        drawn = ours.generate(torch.tensor([0]), 1500, temperature=temperature, generator=generator(4))
        shares = drawn.bincount(minlength=3) / 1500
        torch.testing.assert_close(shares, torch.softmax(torch.arange(3.0) / temperature, 0), rtol=0, atol=0.05)
    extreme = ours.generate(torch.tensor([0]), 50, temperature=1e-300, generator=generator(4))
    assert (extreme == 2).all()


@pytest.mark.parametrize(
    "model",
    [
        lambda g: SequenceClassifier(4, 16, 2, vocab_size=3, cell="gru", generator=g),
        lambda g: TransformerClassifier(3, 2, d_model=16, nhead=2, num_layers=1, dropout=0.0, generator=g),
    ],
    ids=["recurrent", "transformer"],
)
def test_classifier_learns_which_of_two_tokens_comes_more_often(model):
    x = torch.randint(0, 3, (400, 9), generator=generator(2))
    y = ((x == 1).sum(1) > (x == 2).sum(1)).long()
    ours = model(generator(0))
    optimizer = Adam(ours.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(ours(x[:300]), y[:300]).backward()
        optimizer.step()
    assert (ours.eval()(x[300:]).argmax(1) == y[300:]).double().mean() > 0.85


WRITER = CharacterLM(4, 2, 3)
REFUSALS = [
    (lambda: SequenceClassifier(3, 5, 4, cell="cnn"), "SequenceClassifier: cell expected 'rnn' or 'lstm' or 'gru', got 'cnn'"),
    (lambda: Forecaster(0, 5, 4), "LSTM: input_size expected 1 or more, got 0"),
    (
        lambda: SequenceClassifier(3, 5, 4)(numbers(2, 7, 3), torch.tensor([3, 8])),
        "SequenceClassifier: lengths expected whole numbers from 1 to 7, the steps of x, got 3 to 8",
    ),
    (
        lambda: SequenceClassifier(3, 5, 4)(numbers(2, 7, 3), torch.tensor([3])),
        "SequenceClassifier: lengths expected shape (2,), a number for each sequence, got (1,)",
    ),
    (
        lambda: WRITER.generate(torch.tensor([[1]]), 3),
        "CharacterLM.generate: prompt expected shape (T,), one character or more, got (1, 1)",
    ),
    (lambda: WRITER.generate(torch.tensor([1]), -1), "CharacterLM.generate: length expected 0 or more, got -1"),
    (
        lambda: WRITER.generate(torch.tensor([1]), 3, temperature=-1),
        "CharacterLM.generate: temperature expected 0 or more, got -1",
    ),
    (
        lambda: TransformerClassifier(4, 2, d_model=8, nhead=2, max_length=3)(tokens(2, 5)),
        "TransformerClassifier: tokens expected shape (B, T) with T from 1 to 3, got (2, 5)",
    ),
    (
        lambda: TransformerClassifier(4, 2, positions="rotary"),
        "TransformerClassifier: positions expected 'sinusoidal' or 'learned' or 'none', got 'rotary'",
    ),
    (
        lambda: sinusoidal_positions(4, 3),
        "sinusoidal_positions: dim expected an even number, got 3; sines and cosines come in pairs",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSALS, ids=[r[1][:50] for r in REFUSALS])
def test_models_refuse_in_one_sentence(call, message):
    with pytest.raises((ValueError, TypeError)) as refusal:
        call()
    assert str(refusal.value) == message
