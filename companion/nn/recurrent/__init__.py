"""Recurrent layers: single cells, and stacks of them that run over whole sequences."""

from companion.nn.recurrent.cells import GRUCell, LSTMCell, RNNCell
from companion.nn.recurrent.layers import GRU, LSTM, RNN

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]
