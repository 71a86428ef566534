"""How long `fit` takes beside a bare loop and beside other people's loops, in one run; nothing is asserted on time.

The other loops are in the extra `peers`; each trains the same network from the same weights on the same rows.
"""

import contextlib
import copy
import logging
import os
import warnings

import pytest
import torch
import torch.nn.functional as native

from companion import functional as F
from companion.data import digits, standardise
from companion.models import mlp
from companion.optim import Adam
from companion.random import generator
from companion.training import fit

EPOCHS = 3
SIZES = {
    "64-32-10, batches of 32": ([64, 32, 10], 32),
    "64-256-256-10, batches of 32": ([64, 256, 256, 10], 32),
    "64-256-256-10, batches of 256": ([64, 256, 256, 10], 256),
}
MISSING = "the extra peers is not installed"


def by_fit(model, X, y, size):
    fit(model, X, y, loss="cross_entropy", epochs=EPOCHS, batch_size=size, generator=generator(1))


def by_bare_loop(model, X, y, size, loss=F.cross_entropy, made=Adam):
    """The loop of fit with nothing around it: no checks, no record, no validation, no look at the loss."""
    optimizer, order = made(model.parameters(), lr=0.01), generator(1)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X), generator=order).split(size):
            optimizer.zero_grad()
            value = loss(model(X[rows]), y[rows])
            value.backward()
            optimizer.step()


def by_bare_loop_of_torch(model, X, y, size):
    by_bare_loop(model, X, y, size, native.cross_entropy, torch.optim.Adam)


def loader(X, y, size):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), batch_size=size, shuffle=True)


def by_data_loader(model, X, y, size):
    optimizer, batches = Adam(model.parameters(), lr=0.01), loader(X, y, size)
    for _ in range(EPOCHS):
        for examples, targets in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(examples), targets).backward()
            optimizer.step()


def by_lightning(model, X, y, size):
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = model

        def training_step(self, batch, i):
            return F.cross_entropy(self.model(batch[0]), batch[1])

        def configure_optimizers(self):
            return Adam(self.parameters(), lr=0.01)

    quiet = {name: False for name in ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")}
    lightning.Trainer(max_epochs=EPOCHS, accelerator="cpu", **quiet).fit(Module(), loader(X, y, size))


def by_skorch(model, X, y, size):
    import skorch

    net = skorch.NeuralNet(
        model, criterion=torch.nn.CrossEntropyLoss, optimizer=Adam, lr=0.01, max_epochs=EPOCHS, batch_size=size,
        train_split=None, iterator_train__shuffle=True, verbose=0,
    )  # fmt: skip
    net.fit(X, y)
    model.load_state_dict(net.module_.state_dict())


def by_keras(model, X, y, size):
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    dense = [layer for layer in model if hasattr(layer, "weight")]
    layers = [keras.layers.Dense(d.out_features, activation="relu") for d in dense[:-1]]
    net = keras.Sequential([keras.Input((X.shape[1],)), *layers, keras.layers.Dense(dense[-1].out_features)])
    for ours, theirs in zip(dense, net.layers, strict=True):
        theirs.set_weights([ours.weight.detach().numpy().T, ours.bias.detach().numpy()])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(0.01), loss)
    net.fit(X.numpy(), y.numpy(), batch_size=size, epochs=EPOCHS, verbose=0)
    with torch.no_grad():
        for ours, theirs in zip(dense, net.layers, strict=True):
            weight, bias = theirs.get_weights()
            ours.weight.copy_(torch.from_numpy(weight.T))
            ours.bias.copy_(torch.from_numpy(bias))


LOOPS = {
    "fit": by_fit,
    "bare loop": by_bare_loop,
    "bare loop, all of torch": by_bare_loop_of_torch,
    "bare loop over a DataLoader": by_data_loader,
    "Lightning": by_lightning,
    "skorch": by_skorch,
    "Keras on torch": by_keras,
}


PEERS = {"Lightning": "lightning", "skorch": "skorch", "Keras on torch": "keras"}  # installed by the extra peers


@pytest.mark.parametrize("who", LOOPS)
@pytest.mark.parametrize("size", SIZES)
def test_three_epochs_on_digits(benchmark, size, who, threads):
    if who in PEERS:  # asked before anything is timed: a benchmark without a time cannot be recorded
        pytest.importorskip(PEERS[who], reason=MISSING)
    benchmark.group = f"{EPOCHS} epochs on digits, {size}, threads {threads}"
    (data,) = standardise(digits())
    widths, batch = SIZES[size]
    model = mlp(widths, generator=generator(0))
    trained = copy.deepcopy(model)

    def again():
        trained.load_state_dict(model.state_dict())
        return (trained, data.X, data.y, batch), {}

    quiet = warnings.catch_warnings(action="ignore") if who not in ("fit", "bare loop") else contextlib.nullcontext()
    with quiet:
        benchmark.pedantic(LOOPS[who], setup=again, rounds=9, warmup_rounds=1)
    assert (trained(data.X).argmax(1) == data.y).double().mean() > 0.8
