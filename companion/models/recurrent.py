"""Networks that read one step after the other: to sort sequences, to forecast series, to write text."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from companion import nn, random
from companion.errors import bad_value
from companion.functional._arguments import require_choice, require_number, require_tensor, require_whole
from companion.functional._modes import evaluating

_CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


class SequenceClassifier(nn.Module):
    """Read a sequence to its end and decide from what is remembered.

    Args:
        input_size: Numbers at each step; with ``vocab_size`` the length of a token's row.
        hidden_size: Numbers that are remembered.
        num_classes: How many classes.
        vocab_size: How many different tokens; the steps are token numbers then, and each gets a learned row.
            None takes steps of numbers.
        cell: ``"lstm"``, ``"gru"`` or ``"rnn"``.
        num_layers: Layers of cells.
        bidirectional: Whether a second set of cells reads from the end.
        dropout: Probability with which numbers between layers are dropped while training.
        generator: Where the initial weights come from.

    Shape:
        Input (B, T, input_size), or (B, T) of tokens; output (B, num_classes) of logits.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the cell is unknown or a number out of range.

    Source:
        Hochreiter and Schmidhuber (1997), Long short-term memory.

    >>> SequenceClassifier(3, 8, num_classes=2)(torch.zeros(5, 7, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_classes: int,
        *,
        vocab_size: int | None = None,
        cell: str = "lstm",
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding = None if vocab_size is None else nn.Embedding(vocab_size, input_size, generator=generator)
        options = {"num_layers": num_layers, "bidirectional": bidirectional, "dropout": dropout}
        self.rnn = _reader("SequenceClassifier", cell, input_size, hidden_size, options, generator)
        self.directions = 2 if bidirectional else 1
        self.head = nn.Linear(self.directions * hidden_size, num_classes, generator=generator)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Give the logits of each sequence.

        Args:
            x: The sequences, padded at their ends to one length.
            lengths: How many steps of each count, on the CPU; None takes all. What follows changes nothing.
        """
        steps = x if self.embedding is None else self.embedding(x)
        if lengths is not None:
            _require_lengths("SequenceClassifier", lengths, x)
            steps = pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
        _, state = self.rnn(steps)
        last = state[0] if isinstance(state, tuple) else state
        ends = last.narrow(
            0, len(last) - self.directions, self.directions
        )  # (layers directions, B, H) -> (directions, B, H)
        logits: Tensor = self.head(ends.transpose(0, 1).flatten(1))  # -> (B, directions H) -> (B, classes)
        return logits


class Forecaster(nn.Module):
    """Read the past of a series and give the next values, all at once.

    What is learned is how far the series will have moved from its last value. An untrained network is thus
    near the naive forecast (it stays as it is), and learning can only start from there.

    Args:
        input_size: Series that are read; the first of them is forecast, the others help.
        hidden_size: Numbers that are remembered.
        horizon: How many values are forecast.
        cell: ``"lstm"``, ``"gru"`` or ``"rnn"``.
        num_layers: Layers of cells.
        from_last: Whether the forecast is counted from the last value; False forecasts the values themselves.
        generator: Where the initial weights come from.

    Shape:
        Input (B, T, input_size), output (B, horizon).

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the cell is unknown or a number out of range.

    Source:
        Hewamalage, Bergmeir and Bandara (2021), Recurrent neural networks for time series forecasting.

    >>> Forecaster(1, 8, horizon=12)(torch.zeros(5, 24, 1)).shape
    torch.Size([5, 12])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        horizon: int,
        *,
        cell: str = "lstm",
        num_layers: int = 1,
        from_last: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        options = {"num_layers": num_layers}
        self.rnn = _reader("Forecaster", cell, input_size, hidden_size, options, generator)
        self.head = nn.Linear(hidden_size, horizon, generator=generator)
        self.from_last = from_last

    def forward(self, x: Tensor) -> Tensor:
        """Give the next values of each series."""
        outputs, _ = self.rnn(x)
        forecast: Tensor = self.head(outputs.select(1, -1))  # (B, T, H) -> (B, H) -> (B, horizon)
        return forecast + x.select(1, -1).narrow(1, 0, 1) if self.from_last else forecast  # (B, horizon) + (B, 1)


class CharacterLM(nn.Module):
    """Predict each next character from all before it, and so write text of its own.

    Args:
        vocab_size: How many different characters.
        embedding_dim: Length of a character's learned row.
        hidden_size: Numbers that are remembered.
        cell: ``"lstm"``, ``"gru"`` or ``"rnn"``.
        num_layers: Layers of cells.
        dropout: Probability with which numbers between layers are dropped while training.
        generator: Where the initial weights come from.

    Shape:
        Input (B, T) of character numbers; output logits (B, T, vocab_size) for the characters that follow each,
        and the state to go on from.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the cell is unknown or a number out of range.

    Source:
        Graves (2013), Generating sequences with recurrent neural networks; Bengio, Ducharme, Vincent and Jauvin
        (2003), A neural probabilistic language model.

    >>> logits, state = CharacterLM(30, 4, 8)(torch.zeros(5, 7, dtype=torch.long))
    >>> logits.shape
    torch.Size([5, 7, 30])
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        num_layers: int = 1,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, generator=generator)
        options = {"num_layers": num_layers, "dropout": dropout}
        self.rnn = _reader("CharacterLM", cell, embedding_dim, hidden_size, options, generator)
        self.head = nn.Linear(hidden_size, vocab_size, generator=generator)

    def forward(self, tokens: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Give the logits of what follows each character, and the state after the last one.

        Args:
            tokens: Character numbers.
            state: Where to go on from, as an earlier call returned it; None starts afresh.
        """
        outputs, state = self.rnn(self.embedding(tokens), state)  # (B, T) -> (B, T, E) -> (B, T, H)
        return self.head(outputs), state

    def generate(
        self, prompt: Tensor, length: int, *, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        r"""Write on from a beginning, one drawn character after the other.

        .. math:: p(k) = \operatorname{softmax}(z / \tau)_k

        Args:
            prompt: Character numbers to begin with, one or more.
            length: How many are written, 0 or more.
            temperature: The tau of the softmax: below 1 the likely gets likelier, above 1 rarer characters get
                their chance; 0 always takes the likeliest.
            generator: Where the random numbers come from, on the CPU; None takes PyTorch's global generator.

        Shape:
            prompt (T,); the result is (length,).

        Returns:
            The numbers of the written characters. The model is left in the mode it was in.

        Raises:
            TypeError: If an argument is of the wrong kind.
            ValueError: If the prompt is empty or has other axes, or a number is below 0.
        """
        where = "CharacterLM.generate"
        require_tensor(where, "prompt", prompt)
        if prompt.ndim != 1 or not len(prompt):
            raise bad_value(where, "prompt", "shape (T,), one character or more", tuple(prompt.shape))
        require_whole(where, "length", length, least=0)
        require_number(where, "temperature", temperature, least=0)
        written: list[Tensor] = []
        with evaluating(self):
            tokens, state = prompt.unsqueeze(0), None  # (T,) -> (1, T)
            for _ in range(length):
                logits, state = self(tokens, state)
                written.append(_draw(logits[0, -1], temperature, generator))
                tokens = written[-1].reshape(1, 1)
        return torch.stack(written) if written else prompt[:0]


def _draw(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Draw one class: by noise that is added to the logits, so that any temperature is safe from overflow."""
    if temperature == 0:
        return logits.argmax()
    u = random.uniform(logits.shape, generator=generator, device=logits.device, dtype=torch.float64)
    gumbel = -torch.log(-torch.log(u.clamp(min=1e-300)))
    return (logits.double() / temperature + gumbel).argmax()


def _reader(
    where: str,
    cell: str,
    input_size: int,
    hidden_size: int,
    options: dict[str, Any],
    generator: torch.Generator | None,
) -> nn.Module:
    """Make the recurrent layer that reads batches of sequences."""
    require_choice(where, "cell", cell, _CELLS)
    layer: nn.Module = getattr(nn, _CELLS[cell])(
        input_size, hidden_size, batch_first=True, generator=generator, **options
    )
    return layer


def _require_lengths(where: str, lengths: Tensor, x: Tensor) -> None:
    require_tensor(where, "lengths", lengths)
    if lengths.shape != x.shape[:1]:
        raise bad_value(where, "lengths", f"shape ({len(x)},), a number for each sequence", tuple(lengths.shape))
    if lengths.device.type != "cpu":
        raise bad_value(where, "lengths", "a tensor on the CPU", lengths.device, "lengths.cpu() moves it")
    if len(lengths) and not 1 <= int(lengths.min()) <= int(lengths.max()) <= x.shape[1]:
        got = f"{int(lengths.min())} to {int(lengths.max())}"
        raise bad_value(where, "lengths", f"whole numbers from 1 to {x.shape[1]}, the steps of x", got)
