"""Means that are shared (exercise 09.6): the layers, wrong counts, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from companion.checks.bank import Mistake

MEANS, SHARING, LEARNED = "means", "sharing", "learned"


@dataclass(frozen=True)
class Layer:
    """A kind of normalisation, the shape that it is applied to, and what is asked about it.

    Args:
        kind: "batch", "layer", "instance" or "group".
        asks: for the number of means, of numbers that share one, or of what is learned.
        n: examples.
        c: channels.
        h: rows of an image.
        w: columns of an image.
        g: groups; a layer without groups has as many as somebody might take it to have.
    """

    kind: str
    asks: str
    n: int
    c: int
    h: int
    w: int
    g: int

    def means(self, kind: str) -> int:
        """Return how many means a kind takes of these images."""
        return {"batch": self.c, "layer": self.n, "instance": self.n * self.c, "group": self.n * self.g}[kind]

    def sharing(self, kind: str) -> int:
        """Return how many numbers share each of them."""
        return self.numbers // self.means(kind)

    @property
    def numbers(self) -> int:
        """How many numbers there are in all."""
        return self.n * self.c * self.h * self.w

    @property
    def place(self) -> int:
        """How many pixels a channel has."""
        return self.h * self.w

    @property
    def right(self) -> int:
        """The answer."""
        if self.asks == LEARNED:
            return 2 * self.c * (self.place if self.kind == "layer" else 1)
        return self.means(self.kind) if self.asks == MEANS else self.sharing(self.kind)

    def told(self) -> str:
        """Return the layer in words."""
        return {
            "batch": f"Batch normalisation, `BatchNorm2d({self.c})`,",
            "layer": f"Layer normalisation over channels, rows and columns, `LayerNorm([{self.c}, {self.h}, {self.w}])`,",
            "instance": f"Instance normalisation, `InstanceNorm2d({self.c})`,",
            "group": f"Group normalisation with {self.g} groups, `GroupNorm({self.g}, {self.c})`,",
        }[self.kind]

    def question(self) -> str:
        """Return what is asked."""
        return {
            MEANS: "How many means does it compute?",
            SHARING: "How many numbers share one mean?",
            LEARNED: "How many numbers does it learn, scales and shifts together?",
        }[self.asks]


LAYERS = {
    "means of groups": Layer("group", MEANS, 8, 12, 5, 7, 3),
    "means of a batch": Layer("batch", MEANS, 10, 28, 9, 11, 4),
    "sharing in a layer": Layer("layer", SHARING, 9, 14, 5, 6, 2),
    "sharing in a group": Layer("group", SHARING, 7, 20, 3, 6, 5),
    "means of instances": Layer("instance", MEANS, 6, 15, 7, 8, 5),
    "sharing in a batch": Layer("batch", SHARING, 16, 18, 5, 9, 3),
    "sharing in an instance": Layer("instance", SHARING, 5, 16, 6, 13, 4),
    "learned by a layer": Layer("layer", LEARNED, 11, 12, 3, 7, 4),
    "learned by groups": Layer("group", LEARNED, 9, 28, 5, 8, 4),
}
"""By the variant's parameter."""


@dataclass(frozen=True)
class Way:
    """A way to count that leads astray.

    Args:
        name: what it does, in words that follow "it".
        asks: for which questions somebody goes it.
        count: the number that comes out.
        seen: what this number is.
        why: what one believes who goes it.
        next: what to look at next.
    """

    name: str
    asks: tuple[str, ...]
    count: Callable[[Layer], int]
    seen: str
    why: str
    next: str


_COUNTED = (MEANS, SHARING)
WAYS = (
    Way(
        "counts a mean for each channel",
        (MEANS,),
        lambda x: x.means("batch"),
        "Your number is that of the channels: one mean for each, shared by all examples.",
        "That is batch normalisation. In the other kinds no mean is shared by two examples.",
        "Does this layer look at other examples? If not, N has to stand in the product.",
    ),
    Way(
        "counts a mean for each example",
        (MEANS,),
        lambda x: x.means("layer"),
        "Your number is that of the examples: one mean for each, over all of its channels.",
        "That is layer normalisation. The other kinds keep channels apart, or groups of them, or share means between examples.",
        "Do all channels of an example share one mean in this layer?",
    ),
    Way(
        "counts a mean for each channel of each example",
        (MEANS,),
        lambda x: x.means("instance"),
        "Your number is examples times channels: every small image has a mean of its own.",
        "That is instance normalisation. The other kinds let several small images share a mean: of one channel, one group, or one example.",
        "Take two cells of the table of examples and channels. For which pairs does this layer take one mean together?",
    ),
    Way(
        "counts a mean for each group of each example",
        (MEANS,),
        lambda x: x.means("group"),
        "Your number has groups of channels in it, a mean for each of them in each example.",
        "That would be group normalisation. This layer knows no groups.",
        "Which line of the chapter's table belongs to this layer?",
    ),
    Way(
        "counts a mean for each group",
        (MEANS,),
        lambda x: x.g,
        "Your number is that of groups, whatever the number of examples is.",
        "Then all examples would share the mean of a group. Group normalisation keeps every example for itself.",
        "With one example more in the batch, how many means are added?",
    ),
    Way(
        "counts a mean for each channel of a group",
        (MEANS,),
        lambda x: x.c // x.g,
        "Your number is how many channels go into one group, and the examples are not in it.",
        "Channels divided by a number of groups say how large a group is, and not how many means there are. And most kinds let no examples share.",
        "Which do you need, how many groups or how large they are? And with one example more, how many means are added?",
    ),
    Way(
        "takes the number of groups for their size",
        (MEANS,),
        lambda x: x.n * (x.c // x.g) if x.kind == "group" else x.right,
        "Your number takes the number of groups for the number of channels in one.",
        "The first number of `GroupNorm` says into how many groups the channels are dealt. How large a group is follows from it.",
        "Draw the channels of one example in a row, and split them into as many heaps as there are groups. How many heaps are there?",
    ),
    Way(
        "counts a mean for each pixel of a group",
        (MEANS,),
        lambda x: x.n * x.g * x.place if x.kind == "group" else x.right,
        "Your number has the pixels in it: each place seems to have its own mean in every group of every example.",
        "That is how the layer of the statement's example goes. Here rows and columns share, as in all four kinds of the chapter.",
        "Which axes does a mean run over beside the channels of its group? Those do not stand in the product.",
    ),
    Way(
        "counts one mean for everything",
        (MEANS,),
        lambda x: 1,
        "Your number says that all numbers of the batch share a single mean.",
        "No kind of normalisation does that. It would leave the differences between channels as they are, and those between examples too.",
        "Which axes does the mean of this layer run over, and which stay?",
    ),
    Way(
        "counts a mean for each pixel",
        (MEANS,),
        lambda x: x.place,
        "Your number is that of the pixels of a channel, rows times columns.",
        "Places always share their mean in these four kinds: a picture moved by one pixel is to be treated the same.",
        "Do the two axes of the place stay, or does the mean run over them?",
    ),
    Way(
        "counts a mean for each number of an example",
        (MEANS,),
        lambda x: x.c * x.place,
        "Your number is that of all numbers of one example, each with a mean over the batch.",
        "That is batch normalisation of a flat table, where each column is a unit of its own. In images the places of a channel share.",
        "Which of the four axes does the mean of this layer run over?",
    ),
    Way(
        "counts the numbers that share a mean",
        (MEANS,),
        lambda x: x.sharing(x.kind),
        "Your number says how many numbers share one mean. Asked for is how many means there are.",
        "Both are products of lengths of axes, and together they make up all numbers of the batch. You took the axes that a mean runs over.",
        "Multiply the lengths of those axes that are left when the mean is taken.",
    ),
    Way(
        "counts the variances as well",
        (MEANS,),
        lambda x: 2 * x.means(x.kind),
        "Your number is twice what it should be: to each mean comes one more thing.",
        "There is a variance beside each mean, or a scale beside each shift. Asked for are the means alone.",
        "What is the factor 2 in your product, and does the question ask for it?",
    ),
    Way(
        "counts a mean for each row of pixels",
        (MEANS,),
        lambda x: x.means(x.kind) * x.h,
        "Your number has the rows of the images in it: the mean seems to run over columns alone.",
        "Rows and columns are both places, and a mean runs over both of them in each of the four kinds.",
        "Which of H and W stays in your product, and why only one of them?",
    ),
    Way(
        "counts a mean for each pixel of each example",
        (MEANS,),
        lambda x: x.n * x.place,
        "Your number is examples times pixels: the mean runs over the channels alone.",
        "That is the layer of the statement's example. None of the chapter's four kinds keeps places apart.",
        "Read in the chapter's table which numbers share a mean in this layer.",
    ),
    Way(
        "takes all numbers of the batch",
        _COUNTED,
        lambda x: x.numbers,
        "Your number is that of all numbers in the batch, the product of the four axes.",
        "Then either each number would be its own mean, or all would share one. In every kind a part of the axes stays.",
        "Split the four axes into two heaps: those a mean runs over, and those that stay. Which heap is asked for?",
    ),
    Way(
        "lets all examples share",
        (SHARING,),
        lambda x: x.sharing("batch"),
        "Your number is examples times pixels: all examples share the mean of a channel.",
        "That is batch normalisation, the only one of the four kinds that looks at other examples.",
        "May the number of examples stand in the product for this layer?",
    ),
    Way(
        "lets all channels of an example share",
        (SHARING,),
        lambda x: x.sharing("layer"),
        "Your number is channels times pixels: everything in an example shares one mean.",
        "That is layer normalisation. In the other kinds not all channels of an example go into one mean.",
        "How many channels does one mean of this layer run over: all, some, or one?",
    ),
    Way(
        "lets the pixels of one image share",
        (SHARING,),
        lambda x: x.sharing("instance"),
        "Your number is that of the pixels of a channel: each small image by itself.",
        "That is instance normalisation. In the other kinds more than one small image goes into a mean.",
        "Which further axis does the mean of this layer run over, beside the two of the place?",
    ),
    Way(
        "lets the channels of a group share",
        (SHARING,),
        lambda x: x.sharing("group"),
        "Your number has a part of the channels in it, as if they were split into groups.",
        "That would be group normalisation. This layer knows no groups.",
        "Do the channels stay apart here, share all together, or in groups? The chapter's table says it.",
    ),
    Way(
        "forgets the pixels",
        (SHARING,),
        lambda x: x.sharing(x.kind) // x.place,
        "Your number leaves the pixels out: it counts small images, and not the numbers in them.",
        "Each small image has rows times columns of numbers, and all of them go into the mean.",
        "In the example of the statement the pixels stay apart. Do they here?",
    ),
    Way(
        "counts rows of pixels",
        (SHARING,),
        lambda x: x.sharing(x.kind) // x.w,
        "Your number has the rows of an image in it and not its columns.",
        "A mean runs over both axes of the place, so that both lengths stand in the product.",
        "Which of the axes that share is missing in your product?",
    ),
    Way(
        "counts columns of pixels",
        (SHARING,),
        lambda x: x.sharing(x.kind) // x.h,
        "Your number has the columns of an image in it and not its rows.",
        "Height and width are two axes, and the mean of this layer runs over both.",
        "Write the shape with a name under each axis. Which of them did you leave out?",
    ),
    Way(
        "counts the means",
        (SHARING,),
        lambda x: x.means(x.kind),
        "Your number says how many means there are. Asked for is how many numbers share one.",
        "Both are products of lengths of axes. You took the axes that stay, and asked for are those that the mean runs over.",
        "Multiply your number by the right one: all numbers of the batch should come out.",
    ),
    Way(
        "lets the group of all examples share",
        (SHARING,),
        lambda x: x.n * x.c // x.g * x.place,
        "Your number has both a part of the channels and all examples in it.",
        "A mean over channels and over examples would mix two things. None of the four kinds takes groups across examples.",
        "Does this layer look at other examples, or at other channels? None does both.",
    ),
    Way(
        "multiplies by the groups",
        (SHARING,),
        lambda x: x.g * x.place,
        "Your number is a number of groups times pixels.",
        "How many groups there are says how many means there are. What shares a mean is one group.",
        "How many channels does a single group have, if there are any groups here?",
    ),
    Way(
        "counts each number twice",
        (SHARING,),
        lambda x: 2 * x.sharing(x.kind),
        "Your number is twice as large as it should be.",
        "The numbers go into a mean and into a variance, and still they are the same numbers.",
        "Where does the factor 2 in your product come from?",
    ),
    Way(
        "adds up the sides of an image",
        (SHARING,),
        lambda x: x.sharing(x.kind) // x.place * (x.h + x.w),
        "In your number rows and columns are added up.",
        "An image with H rows of W pixels has H times W of them.",
        "How many pixels have 3 rows of 4? Draw them, and count.",
    ),
    Way(
        "counts examples or channels alone",
        (SHARING,),
        lambda x: x.n if x.kind == "instance" else x.c,
        "Your number is the length of a single axis, and that axis is not one of the image's.",
        "A channel of an example is a small image. Where only one of the four axes is counted, its pixels are left out.",
        "Which axes does a mean run over in this layer? Multiply the lengths of all of them.",
    ),
    Way(
        "counts the scales alone",
        (LEARNED,),
        lambda x: x.right // 2,
        "Your number is half of what it should be: it counts scales and no shifts.",
        "Behind the normalisation come two steps, a product and a sum. Each has numbers of its own that are learned.",
        "How many letters are learned in the formula of the chapter?",
    ),
    Way(
        "counts a pair for each channel",
        (LEARNED,),
        lambda x: 2 * x.c,
        "Your number is two for each channel: a scale and a shift.",
        "That is right for batch, instance and group normalisation. Layer normalisation has a pair for each number of the shape that it is given.",
        "Which shape is handed to the layer here, and how many numbers does it hold?",
    ),
    Way(
        "counts one for each channel",
        (LEARNED,),
        lambda x: x.c,
        "Your number is that of the channels, a single learned number for each.",
        "There is a scale and a shift, and for layer normalisation they do not even belong to channels.",
        "Print `[p.shape for p in layer.parameters()]` in your mind: how many tensors are there, and of which shape?",
    ),
    Way(
        "counts a pair for each number of an example",
        (LEARNED,),
        lambda x: 2 * x.c * x.place,
        "Your number has a scale and a shift for each pixel of each channel.",
        "That is layer normalisation with a shape of three axes. The other kinds learn a pair for each channel.",
        "What is handed to this layer: a shape, or a number of channels?",
    ),
    Way(
        "counts a pair for each pixel",
        (LEARNED,),
        lambda x: 2 * x.place,
        "Your number has a scale and a shift for each place, which all channels share.",
        "No kind shares its scales between channels: they have different jobs and different sizes.",
        "Which axes stand in the shape of gamma, and which do not?",
    ),
    Way(
        "counts a pair for each mean",
        (LEARNED,),
        lambda x: 2 * x.means(x.kind),
        "Your number is two for each mean of this batch.",
        "What is learned cannot depend on how many examples a batch happens to have. Means are computed anew, scales and shifts stay.",
        "With one example more in the batch, how many numbers would your layer learn?",
    ),
    Way(
        "counts a pair for each example",
        (LEARNED,),
        lambda x: 2 * x.n,
        "Your number grows with the number of examples in the batch.",
        "A network is built before it has seen a batch. What it learns belongs to channels or features, and never to examples.",
        "Which of the numbers in your product does the layer know when it is made?",
    ),
    Way(
        "counts a pair for each group",
        (LEARNED,),
        lambda x: 2 * x.g,
        "Your number is two for each group of channels.",
        "Groups share a mean and a variance. Scales and shifts belong to single channels, also in group normalisation.",
        "In `GroupNorm(1, 6)` there is one group. The chapter says how many numbers it learns: 6 of each, or 1?",
    ),
    Way(
        "counts a pair for each channel of a group",
        (LEARNED,),
        lambda x: 2 * x.c // x.g,
        "Your number is two for each channel of one group, as if all groups shared them.",
        "Each channel has a scale and a shift of its own, in whichever group it is.",
        "How many channels are there in all groups together?",
    ),
    Way(
        "counts the running statistics too",
        (LEARNED,),
        lambda x: x.right + 2 * x.c,
        "Your number has two more for each channel than are learned.",
        "A running mean and a running variance are kept by batch normalisation alone, and are counted and not learned.",
        "Does this layer do something else in evaluation than in training? If not, what would it have to keep?",
    ),
    Way(
        "counts a single pair",
        (LEARNED,),
        lambda x: 2,
        "Your number is 2: one scale and one shift for everything.",
        "With one pair for all, the network could not give back to a channel the size that it needs.",
        "What shape has gamma in this layer, and what shape has beta?",
    ),
    Way(
        "counts what is learned for each example by itself",
        (LEARNED,),
        lambda x: x.n * x.right,
        "Your number is the right one times the number of examples.",
        "All examples go through the same scales and shifts, as they go through the same weights everywhere in a network.",
        "Take N out of your product. Why should it not be there?",
    ),
    Way(
        "counts every pair of channels",
        (LEARNED,),
        lambda x: 2 * x.c * x.c,
        "Your number has a number for each pair of channels in it.",
        "That would be a table of weights that mixes channels. A scale multiplies each number by itself.",
        "Is gamma multiplied entry by entry, or as a matrix?",
    ),
    Way(
        "counts a pair for each number of the batch",
        (LEARNED,),
        lambda x: 2 * x.numbers,
        "Your number is two for each number that the batch holds.",
        "A scale for each number of each example could be used for this one batch, and for no other.",
        "Which of the four axes are there already when the layer is made, before it has seen a batch?",
    ),
    Way(
        "adds up the axes of the shape",
        (LEARNED,),
        lambda x: 2 * (x.c + x.h + x.w),
        "Your number adds up channels, rows and columns, where they should be multiplied or left out.",
        "A scale for each channel, one for each row and one for each column would be another layer. A tensor has the product of its axes.",
        "How many numbers does a tensor of the shape (3, 4, 5) hold?",
    ),
    Way(
        "counts biases of the channels as well",
        (LEARNED,),
        lambda x: x.right + x.c,
        "Your number has one more for each channel than are learned here.",
        "The shift is the bias. A bias of the layer before it would be taken off with the mean.",
        "How many tensors does the layer learn, two or three?",
    ),
)


def mistakes_of(layer: Layer) -> tuple[Mistake, ...]:
    """Return the ways that lead to a wrong number for this layer, each number once."""
    taken, found = {layer.right}, []
    for way in WAYS:
        number = way.count(layer)
        if layer.asks in way.asks and number not in taken:
            taken.add(number)
            found.append(Mistake(way.name, number, way.seen, way.why, way.next))
    return tuple(found)
