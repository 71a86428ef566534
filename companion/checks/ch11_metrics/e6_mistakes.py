"""Seven reports (exercise 11.6), five conclusions from each, and what speaks for or against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from companion.checks.written import Choice, Option


@dataclass(frozen=True)
class Report:
    """A report, its conclusions, and hints.

    Attributes:
        text: what it says, in Markdown.
        choice: the five conclusions.
        hints: three of them.
    """

    text: str
    choice: Choice
    hints: tuple[str, str, str]


def _choice(right: str, *options: Option) -> Choice:
    return Choice(dict(zip("abcde", options)), right)


_RARE = Report(
    """* 10,000 people were screened. 100 of them were ill, as was found out later.
* The test called 170 people ill. 60 of these were.
* "The accuracy is 0.985, and the specificity 0.989."
* Number of thresholds that were looked at: one, fixed beforehand.""",
    _choice(
        "d",
        Option(
            "The test is right about 98.5 percent of the ill.",
            "Of the 100 ill people 60 are found. 98.5 percent is a share of everybody, and 99 in 100 of these are healthy.",
            "You took the accuracy for the recall. It is a mean over all people, and where the ill are rare it hardly hears them.",
            "How many of the 100 ill people are among the 170?",
        ),
        Option(
            "The test is worthless, because to call nobody ill is more accurate.",
            "To call nobody ill is more accurate, 0.990. It also finds nobody, and this test finds 60 people.",
            "You let accuracy decide what a test is worth. That it prefers doing nothing is a fault of the measure, and not yet one of the test.",
            "What would a miss have to cost, compared with a false alarm, for 60 people found to be worth 110 alarms?",
        ),
        Option(
            "With a specificity of 0.989 hardly any of the alarms are false.",
            "170 people are called ill and 60 of them are: 110 of 170 alarms are false, about two of three.",
            "You read the specificity as a share of the alarms. It is one of the healthy, of whom there are 9,900.",
            "One in a hundred of 9,900 people: how many are that, beside 60 true alarms?",
        ),
        Option(
            "The test misses 40 of 100 ill people, and an accuracy of 0.985 cannot show it, since 0.990 is had by calling nobody ill.",
            "Recall is 0.60 and precision 60/170 = 0.35. Both are missing in the report, and both are what a screening is about.",
        ),
        Option(
            "Accuracy and specificity agree, so that nothing else has to be reported.",
            "They agree because both are nearly the same number here: 99 in 100 people are healthy. Recall is 0.60 and stands nowhere.",
            "You took two numbers that say the same for two witnesses. Four counts have room for more than one question.",
            "Which of the four counts has no part in the specificity?",
        ),
    ),
    (
        "Write down the four counts first. Three of them can be computed from what is said, and the fourth is what is left of 10,000.",
        "Then ask of each conclusion: a share of whom is meant? Of all people, of the ill, of the healthy, or of those called ill?",
        "What is the accuracy of a test that calls nobody ill, and how many of the ill does it find?",
    ),
)

_ELSEWHERE = Report(
    """* A test was tried on 500 ill and 500 healthy people. It found 450 of the ill, and called 50 of the healthy ill.
* "Recall 0.90, specificity 0.90, precision 0.90, AUC 0.96."
* It is to be used on everybody between 50 and 60 years old, where one in a hundred is ill.
* Among people of that age, ill and healthy people get scores like those in the trial.""",
    _choice(
        "b",
        Option(
            "Of those whom it calls ill 90 percent will be ill, since the test stays the same.",
            "Of 10,000 people 100 are ill. 90 of them are found, and of the 9,900 others 990 are called ill: 90 of 1,080 alarms are true.",
            "You took the precision along to another population. It mixes both classes, and changes with how many there are of each.",
            "Do the four counts for 10,000 people, 100 of whom are ill.",
        ),
        Option(
            "Of twelve people whom it calls ill about one will be ill.",
            "Of 10,000 people 90 ill ones are found and 990 healthy ones are called ill. 90/1080 is 0.083, one in twelve.",
        ),
        Option(
            "Its recall will fall to about 0.08, because ill people are rare.",
            "The recall stays 0.90: it asks only about the ill, and these get the same scores as in the trial.",
            "You noticed that something falls to 0.083, and took recall for precision. One asks about the ill, and the other about the alarms.",
            "Which of the two ratios has healthy people below its line?",
        ),
        Option(
            "Its AUC will fall too: it should have been measured at one in a hundred.",
            "The AUC is the chance that an ill person has a higher score than a healthy one. It does not ask how many there are of each, and stays at 0.96.",
            "You expected that everything depends on how frequent the illness is. Recall, specificity and a ROC curve do not.",
            "Of whom are the two axes of a ROC curve shares?",
        ),
        Option(
            "An AUC of 0.96 says that it is ready for the screening.",
            "With the threshold of the trial eleven of twelve alarms would be false, at the same AUC of 0.96.",
            "You took an order for a decision. The AUC looks at all thresholds and at no price; what one threshold does to a population is another question.",
            "How many healthy people in 10,000 would be alarmed, and how many ill ones found?",
        ),
    ),
    (
        "Do the four counts for 10,000 people of that age. How many are ill, and how many of these are found?",
        "Then the others: how many healthy people are there, and how many of these are called ill?",
        "Which ratios ask about one class alone? These stay. The others change.",
    ),
)

_THRESHOLD = Report(
    """* A model was trained, and asked about a test part of 120 patients, 24 of them ill.
* At a threshold of one half its F1 on these is 0.60.
* All thresholds between the scores were then tried on the test part. At the best of them the F1 is 0.69.
* "With the optimised threshold we expect an F1 of 0.69 on new patients." No other patients were kept.""",
    _choice(
        "e",
        Option(
            "0.69 is what is to be expected of new patients, because they never were in the training.",
            "The weights never saw these patients. The threshold did: it was chosen because it suits them. On new ones such a threshold comes to 0.62 in the mean of many cohorts like this one.",
            "You counted only the weights as learned. A threshold is learned as well, from whatever it is chosen on.",
            "Which number of the model would be another one if these 120 patients were others?",
        ),
        Option(
            "0.60 is what is to be expected, because the best threshold is always one half.",
            "One half is nobody's threshold: with F1 as the aim and one in five ill, a lower one is better. Chosen on other patients it brings some of the gain.",
            "You threw away the threshold together with its score. To move it is right; to report the score that it was chosen by is not.",
            "Where would you choose a threshold, so that the test part stays for one last look?",
        ),
        Option(
            "Nothing was learned from the test part, since a threshold is a single number.",
            "A single number, chosen as the best of about 120, with 24 ill people to go by. In the mean of many cohorts that is worth 0.07 of F1 which new patients do not give back.",
            "You measured what was learned by how many numbers there are. What counts is how many were tried, and on how few.",
            "How often was the test part looked at before 0.69 was written down?",
        ),
        Option(
            "Trying more thresholds would lower the expected F1 on the test part.",
            "The best of more looks can only be higher. That is what makes it misleading: the score rises and the model stays.",
            "You expected the price of many looks to show in the score itself. It shows on new patients only.",
            "Can the highest of a list fall when more numbers are added to it?",
        ),
        Option(
            "New patients will give less than 0.69: the threshold was chosen on the patients on which it is judged.",
            "In 400 cohorts like this one the best threshold has an F1 of 0.69 on its own patients and of 0.62 on new ones. A validation part would have told.",
        ),
    ),
    (
        "Ask of each number in the report: was anything chosen by looking at the patients it was measured on?",
        "The weights are not all that was learned here. What else depends on the 120 patients?",
        "Is the best of many numbers that are partly luck too high, too low, or right?",
    ),
)

_CALIBRATION = Report(
    """* A model was asked about 360 new examples. Its expected calibration error is 0.031, with ten bins.
* For comparison its answers were replaced, 2,000 times, by answers that are right by chance, each exactly as often as its
  confidence says. The calibration error of these is 0.029 in the mean, and 95 percent of them lie below 0.047.
* "The model is wrong about its own confidence by 3.1 percent and has to be recalibrated." """.rstrip(),
    _choice(
        "a",
        Option(
            "From these numbers the model cannot be told from a perfectly calibrated one.",
            "A perfectly calibrated model has 0.029 in the mean with so few examples, by the gaps of chance in each bin. 0.031 lies in the midst of what it does.",
        ),
        Option(
            "The model is not calibrated, because its error is above 0.",
            "Nobody gets 0: the size of a gap is never negative, so that chance alone adds up. A perfect model has 0.029 here.",
            "You compared with 0. The honest comparison is with what a calibrated model does with as many examples and bins.",
            "What would you expect of the second line of the report if calibration error had no noise?",
        ),
        Option(
            "The model is proved to be calibrated.",
            "A model that is off by two or three percent would often come to 0.031 as well. With 360 examples both look alike.",
            'You took "no difference seen" for "no difference there". Few examples see little.',
            "What would become of both numbers of the comparison with 36,000 examples?",
        ),
        Option(
            "With a hundred bins in place of ten the error would become smaller and more exact.",
            "With more bins each holds fewer answers, and its gap is more of chance. The error of a perfect model grows.",
            "You thought of a finer ruler. In each bin a share has to be estimated, and from three or four answers that cannot be done.",
            "How many answers has a bin in the mean, with ten bins and with a hundred?",
        ),
        Option(
            "It is wrong about 3.1 percent of its answers.",
            "The calibration error does not count wrong answers. It compares confidence with the share that is right, and a model with 40 percent wrong can have 0.",
            "You took a distance between two shares for a share of errors. Calibrated and accurate are two things.",
            "What is the calibration error of a model that says 0.5 each time, and is right half of the time?",
        ),
    ),
    (
        "The second line of the report is a model of which everything is known: it is calibrated. What does it get?",
        "A calibration error adds up sizes of gaps. Can chance make it smaller than 0, or only larger?",
        "Where does 0.031 lie, compared with a mean of 0.029 and with 0.047, above which 5 percent lie?",
    ),
)

_FOLDS = Report(
    """* Two ways to train were compared on ten random splits of the same data, each with 90 percent for training and 10 for testing.
* In the mean of the ten splits the second is better by 0.012. The ten differences have a standard deviation of 0.015.
* A t-test over the ten differences has t = 0.012 / (0.015 · √(1/10)) = 2.53, and p = 0.03 with nine degrees of freedom.
* "The second way is significantly better." """.rstrip(),
    _choice(
        "c",
        Option(
            "The second way is better, as p = 0.03 is below 0.05.",
            "The test takes the ten differences for independent. Any two of these splits share about nine tenths of their training rows.",
            'You trusted the p and not what it supposes. Equal models come out "different" by this test far more often than in 5 of 100 cases.',
            "What becomes of the factor 1/10 in the formula by Nadeau and Bengio?",
        ),
        Option(
            "With a hundred splits of the same data p would be smaller and the proof stronger.",
            "p would become smaller by the root, and prove nothing more: the data stay the same, and only the share 1/J of the variance goes away.",
            'You counted splits as if they were new data. Whoever repeats often enough finds every difference "significant".',
            "Which part of 1/J + n_test/n_train is left when J is very large?",
        ),
        Option(
            "It is not shown: with the factor 1/10 + 1/9, which allows for shared rows, t is 1.74 and p is 0.12.",
            "0.015 · √(0.1 + 0.111) = 0.0069, and 0.012/0.0069 = 1.74. The splits share rows, so that ten of them are worth far less than ten studies.",
        ),
        Option(
            "It is shown that both ways are equally good.",
            "A difference of 0.012 is the best guess still, and the data do not exclude it. They do not exclude 0 either.",
            "You took a large p for a proof of equality. It says only that this comparison cannot tell.",
            "How large a difference could ten such splits have missed?",
        ),
        Option(
            "The comparison is worthless, because both ways were asked about the same test rows.",
            "The same rows for both is what makes a comparison sharp: what is hard for both falls out of the difference. The trouble is that the splits share rows with one another.",
            "You saw something shared and mistook which. Pairing the models is good; repeating the rows from split to split is what misleads.",
            "Which rows do the first and the second split have in common?",
        ),
    ),
    (
        "A t-test supposes that the ten differences know nothing of one another. Do they?",
        "Each split trains on 90 percent of the same rows. How many rows do two training parts share?",
        "Compute t once more with √(1/10 + n_test/n_train) in place of √(1/10).",
    ),
)

_OVERLAP = Report(
    """* Two models were asked about the same 500 patients.
* The first is right about 430, accuracy 0.860, with a 95 percent interval from 0.827 to 0.888.
* The second is right about 448, accuracy 0.896, with a 95 percent interval from 0.866 to 0.920.
* About 10 patients only the first is right, and about 28 only the second.
* "The intervals overlap, so that no difference is shown." """.rstrip(),
    _choice(
        "b",
        Option(
            "No difference is shown, because the intervals overlap.",
            "Each interval is about one model. Both were asked about the same patients, and what these make hard for both falls out of the difference.",
            "You compared two intervals in place of making one for the difference. For paired models that loses most of what is known.",
            "About how many patients do the two models differ, and how are these shared out?",
        ),
        Option(
            "The second is better: of the 38 patients about whom they differ it is right about 28, which chance does in 5 of 1,000 cases.",
            "That is McNemar's question. With equal models the 38 would be shared out like throws of a coin, and 28 to 10 or more has p = 0.005.",
        ),
        Option(
            "The second is better, because its accuracy is higher.",
            "It is the better one, and that is no reason for it. With 215 to 233 right among other patients a higher number would prove nothing.",
            "You left out the question whether it may be luck. The report holds what answers it: 28 to 10.",
            "Would you say the same if only the second were right about 3 and only the first about 1?",
        ),
        Option(
            "The second is better, because 0.896 lies outside of the first interval.",
            "0.896 has an interval of its own, and the first one says nothing about it. The conclusion holds and the reason does not.",
            "You treated the second accuracy as if it were known exactly. Both were measured on 500 patients.",
            "Which numbers of the report say about how many patients the two models differ?",
        ),
        Option(
            "Nothing can be said, because 462 of 500 patients do not tell the models apart.",
            "They do not, and that is no loss: the 38 others do, with 28 to 10.",
            "You took the share that differs for the strength of the evidence. What counts is how lopsided the 38 are, and that there are enough of them.",
            "How often does a coin that is thrown 38 times fall 28 times or more on one side?",
        ),
    ),
    (
        "Were the two models asked about the same patients, or about others? What does each interval know of that?",
        "Most patients are right with both or wrong with both. Which patients can tell the models apart?",
        "If both were equally good, how would 38 patients be shared out, and how far from that is 28 to 10?",
    ),
)

_CLASSES = Report(
    """* A model sorts photographs of skin into five kinds. 1,000 new ones: 900 of a harmless kind, and 25 of each of four others.
* It is right about 890 of the harmless ones, and about 10, 5, 5 and 0 of the four others.
* "Micro-F1 0.910, weighted recall 0.910, accuracy 0.910: three metrics agree."
* An older model is right about 850, 19, 18, 17 and 16 of the five kinds: accuracy 0.920.""",
    _choice(
        "c",
        Option(
            "Three metrics that agree are better evidence than one.",
            "They are one number with three names: with one label for each picture micro-F1 and the recall weighted by frequency are the accuracy.",
            "You took three names for three measurements. All of them count pictures, and nine in ten are harmless.",
            "Add up the right answers and divide by 1,000. What is the recall of each kind, weighted by how often it occurs?",
        ),
        Option(
            "The new model is better, because it is right about more of the common kind.",
            "890 against 850 harmless ones, and 20 against 70 of the 100 others. Even by accuracy the older one is ahead, 0.920 to 0.910.",
            "You looked at the largest class alone. It is 40 pictures better there, and 50 worse elsewhere.",
            "Add up the right answers of all five kinds, for both models.",
        ),
        Option(
            "The new model finds 20 of 100 pictures of the rare kinds, and all three numbers hide it; their mean recall per kind is 0.36.",
            "0.989, 0.4, 0.2, 0.2 and 0 have the mean 0.358. The older model has 0.749. Micro hears pictures, and macro hears kinds.",
        ),
        Option(
            "The two models are about equally good, 0.910 and 0.920.",
            "The mean recall per kind is 0.36 for the new one and 0.75 for the older one: on the four rare kinds they find 20 and 70 of 100.",
            "You let the common kind decide. Nine in ten pictures are of it, and both models know it well.",
            "What do both models find of the four kinds for which somebody would look at skin?",
        ),
        Option(
            "Macro-F1 should not be used, because kinds of 25 pictures are too few to say anything.",
            "25 pictures give wide intervals, and 0 of 25 against 16 of 25 is no matter of width. Few pictures are a reason for intervals, and not for looking away.",
            "You used uncertainty as a reason not to ask. A class that is hardly tested is a finding of its own.",
            "How likely is 0 of 25 if the model finds half of that kind?",
        ),
    ),
    (
        "Compute the recall of each of the five kinds, for both models.",
        "Each picture has one label. What is micro-F1 then, in simpler words?",
        "Which of the numbers of the report would change if the model never found one of the four rare kinds?",
    ),
)

REPORTS: Mapping[str, Report] = {
    "rare": _RARE,
    "elsewhere": _ELSEWHERE,
    "one threshold of many": _THRESHOLD,
    "an error above 0": _CALIBRATION,
    "ten splits": _FOLDS,
    "two intervals": _OVERLAP,
    "three metrics": _CLASSES,
}
