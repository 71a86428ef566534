"""Chapter 11, exercises 1 to 4: four counts, the line from the costs, the ROC curve, and one F1 for many classes."""

from __future__ import annotations

from second_wrong import Wrong

RIGHT = {
    "11.1": """
def four_counts(y, scores, threshold):
    # patient by patient, in a table of two by two
    table = {(is_ill, called): 0 for is_ill in (0, 1) for called in (0, 1)}
    for is_ill, score in zip(y.tolist(), scores.tolist()):
        table[is_ill, int(score >= threshold)] += 1
    tp, fp, fn, tn = table[1, 1], table[0, 1], table[1, 0], table[0, 0]

    def ratio(part, whole):
        return part / whole if whole else 0.0

    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "precision": ratio(tp, tp + fp),
        "accuracy": ratio(tp + tn, len(y)),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }
""",
    "11.2": """
def best_threshold(y, scores, cost_fp, cost_fn):
    # a table: one row for each threshold, from infinity downwards, one column for each patient
    lines = torch.cat([torch.tensor([float("inf")], dtype=scores.dtype), scores.unique().flip(0)])
    called = scores[None, :] >= lines[:, None]
    ill = (y == 1)[None, :]
    alarms = (called & ~ill).sum(dim=1)
    misses = (~called & ill).sum(dim=1)
    cost = (alarms.double() * cost_fp + misses.double() * cost_fn) / len(y)
    lowest = cost.min()
    # among equals the first, which is the highest; a hair of room for rounding
    place = int((cost <= lowest * (1 + 1e-9)).nonzero()[0])
    return lines[place], cost[place]
""",
    "11.3": """
def roc(y, scores):
    values, which = scores.unique(return_inverse=True)
    ill = torch.bincount(which[y == 1], minlength=len(values)).flip(0).double()
    healthy = torch.bincount(which[y == 0], minlength=len(values)).flip(0).double()
    zero = torch.zeros(1, dtype=torch.float64)
    tpr = torch.cat([zero, ill.cumsum(0)]) / ill.sum()
    fpr = torch.cat([zero, healthy.cumsum(0)]) / healthy.sum()
    return fpr, tpr, torch.trapezoid(tpr, fpr)
""",
    "11.4": """
def f1_scores(matrix):
    m = matrix.double()
    rows, columns, right = m.sum(dim=1), m.sum(dim=0), m.diagonal()
    both = rows + columns                       # 2 TP + FP + FN
    there = both > 0
    f1 = 2 * right[there] / both[there]
    macro = f1.mean()
    micro = 2 * right.sum() / both.sum()
    weighted = (f1 * rows[there]).sum() / rows.sum()
    return macro, micro, weighted
""",
}

WRONG = {
    "11.1": [
        Wrong(
            "believes that a threshold has to be passed, not reached",
            """
def four_counts(y, scores, threshold):
    pred = (scores > threshold).long()
    tp = int(((pred == 1) & (y == 1)).sum())
    fp = int(((pred == 1) & (y == 0)).sum())
    fn = int(((pred == 0) & (y == 1)).sum())
    tn = int(((pred == 0) & (y == 0)).sum())

    def div(a, b):
        return a / b if b > 0 else 0.0

    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "recall": div(tp, tp + fn),
        "specificity": div(tn, tn + fp),
        "precision": div(tp, tp + fp),
        "accuracy": (tp + tn) / len(y),
        "f1": div(2 * tp, 2 * tp + fp + fn),
    }
""",
            "a score at the threshold reaches it: >=",
        ),
        Wrong(
            "believes that F1 is the ordinary mean of precision and recall",
            """
def four_counts(y, scores, threshold):
    called = scores >= threshold
    ill = y.bool()
    tp = (called & ill).sum().item()
    fp = (called & ~ill).sum().item()
    fn = (~called & ill).sum().item()
    tn = (~called & ~ill).sum().item()
    recall = tp / (tp + fn) if tp + fn else 0.0
    specificity = tn / (tn + fp) if tn + fp else 0.0
    precision = tp / (tp + fp) if tp + fp else 0.0
    accuracy = (tp + tn) / (tp + fp + fn + tn)
    f1 = (precision + recall) / 2
    return dict(tp=tp, fp=fp, fn=fn, tn=tn, recall=recall, specificity=specificity,
                precision=precision, accuracy=accuracy, f1=f1)
""",
            "F1 is the harmonic mean, 2 TP / (2 TP + FP + FN)",
        ),
        Wrong(
            "believes that a false positive is an ill patient who was falsely called healthy",
            """
def four_counts(y, scores, threshold):
    said = (scores >= threshold).int()
    tp = fp = fn = tn = 0
    for truth, s in zip(y, said):
        if s == 1 and truth == 1:
            tp += 1
        elif s == 0 and truth == 0:
            tn += 1
        elif truth == 1:
            fp += 1      # a positive case, falsely judged
        else:
            fn += 1      # a negative case, falsely judged
    safe = lambda a, b: a / b if b != 0 else 0
    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "recall": safe(tp, tp + fn),
        "specificity": safe(tn, tn + fp),
        "precision": safe(tp, tp + fp),
        "accuracy": safe(tp + tn, tp + tn + fp + fn),
        "f1": safe(2 * tp, 2 * tp + fp + fn),
    }
""",
            "positive is what was said: FP is a healthy patient who is called ill",
        ),
        Wrong(
            "believes that a tiny number below keeps every ratio safe and changes none",
            """
def four_counts(y, scores, threshold):
    eps = 1e-2
    pred = scores >= threshold
    tp = float((pred & (y == 1)).sum())
    fp = float((pred & (y == 0)).sum())
    fn = float((~pred & (y == 1)).sum())
    tn = float((~pred & (y == 0)).sum())
    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "recall": tp / (tp + fn + eps),
        "specificity": tn / (tn + fp + eps),
        "precision": tp / (tp + fp + eps),
        "accuracy": (tp + tn) / (tp + fp + fn + tn + eps),
        "f1": 2 * tp / (2 * tp + fp + fn + eps),
    }
""",
            "what is added below shifts every ratio: ask whether the bottom is 0",
        ),
        Wrong(
            "computes F1 from precision and recall and guards each for itself only by nan",
            """
def four_counts(y, scores, threshold):
    pred = (scores >= threshold)
    truth = (y == 1)
    tp = (pred & truth).sum()
    fp = (pred & ~truth).sum()
    fn = (~pred & truth).sum()
    tn = (~pred & ~truth).sum()
    recall = tp / (tp + fn)
    precision = tp / (tp + fp)
    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "recall": recall,
        "specificity": tn / (tn + fp),
        "precision": precision,
        "accuracy": (tp + tn) / len(y),
        "f1": 2 * precision * recall / (precision + recall),
    }
""",
            "torch makes nan of 0/0: right on the example, without a value where nobody is called ill; it counts as 0",
        ),
        Wrong(
            "takes the share of the called for specificity, and calls a ratio without cases perfect",
            """
def four_counts(y, scores, threshold):
    called = (scores >= threshold).long()
    tp = int((called * y).sum())
    fp = int((called * (1 - y)).sum())
    fn = int(((1 - called) * y).sum())
    tn = int(((1 - called) * (1 - y)).sum())

    def ratio(a, b):
        if b == 0:
            return 1.0
        return a / b

    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fn),
        "precision": ratio(tp, tp + fp),
        "accuracy": ratio(tp + tn, len(y)),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
    }
""",
            "specificity divides by all healthy, TN + FP; and 0/0 counts as 0",
        ),
    ],
    "11.2": [
        Wrong(
            "believes that the scores are probabilities, and that the formula of costs gives the line",
            """
def best_threshold(y, scores, cost_fp, cost_fn):
    t = torch.tensor(cost_fp / (cost_fp + cost_fn))
    called = scores >= t
    fp = (called & (y == 0)).sum()
    fn = (~called & (y == 1)).sum()
    return t, (fp * cost_fp + fn * cost_fn) / len(y)
""",
            "the scores need not be calibrated: the scores that occur are tried",
        ),
        Wrong(
            "tries places halfway between two scores, as decision trees do",
            """
def best_threshold(y, scores, cost_fp, cost_fn):
    s = torch.unique(scores)
    middles = (s[1:] + s[:-1]) / 2
    lines = torch.cat([s[:1] - 1, middles, torch.tensor([float("inf")])])
    best, best_cost = None, float("inf")
    for t in lines.flip(0):
        called = scores >= t
        cost = ((called & (y == 0)).sum() * cost_fp + (~called & (y == 1)).sum() * cost_fn) / len(y)
        if cost < best_cost:
            best, best_cost = t, cost
    return best, best_cost
""",
            "thresholds to try are the scores that occur, not the places between",
        ),
        Wrong(
            "believes that the highest score is the strictest line there is",
            """
def best_threshold(y, scores, cost_fp, cost_fn):
    results = []
    for t in scores.unique():
        pred = (scores >= t).int()
        fp = ((pred == 1) & (y == 0)).sum().item()
        fn = ((pred == 0) & (y == 1)).sum().item()
        results.append((cost_fp * fp + cost_fn * fn, -t.item()))
    cost, minus_t = min(results)
    return torch.tensor(-minus_t), torch.tensor(cost / len(y))
""",
            "at the highest score somebody is called ill: infinity calls nobody, and is to be tried too",
        ),
        Wrong(
            "weighs the rates, since the classes are of different sizes",
            """
def best_threshold(y, scores, cost_fp, cost_fn):
    thresholds = torch.cat([torch.tensor([float("inf")]), scores.unique().flip(0)])
    ill = (y == 1)
    n_ill, n_healthy = max(int(ill.sum()), 1), max(int((~ill).sum()), 1)
    costs = []
    for t in thresholds:
        called = scores >= t
        fpr = (called & ~ill).sum() / n_healthy
        fnr = (~called & ill).sum() / n_ill
        costs.append(cost_fp * fpr + cost_fn * fnr)
    costs = torch.stack(costs)
    i = costs.argmin()
    return thresholds[i], costs[i]
""",
            "each patient costs as a patient: counts, divided by N, and not rates of each class",
        ),
        Wrong(
            "walks down the sorted patients one by one, as if no two had the same score",
            """
def best_threshold(y, scores, cost_fp, cost_fn):
    order = scores.argsort(descending=True, stable=True)
    y_sorted, s_sorted = y[order], scores[order]
    n = len(y)
    fp, fn = 0, int((y == 1).sum())
    best_t, best_cost = float("inf"), fn * cost_fn
    for k in range(n):
        if y_sorted[k] == 1:
            fn -= 1
        else:
            fp += 1
        cost = fp * cost_fp + fn * cost_fn
        if cost < best_cost:
            best_cost, best_t = cost, s_sorted[k].item()
    return torch.tensor(best_t), torch.tensor(best_cost / n)
""",
            "patients of one score are called ill together: right on the example, wrong with ties",
        ),
        Wrong(
            "exchanges the two costs, and returns the sum",
            """
def best_threshold(y, scores, cost_fp, cost_fn):
    candidates = [float("inf")] + sorted(set(scores.tolist()), reverse=True)
    best_t, best_c = None, None
    for t in candidates:
        called = scores >= t
        missed = (y[~called] == 1).sum().item()
        alarms = (y[called] == 0).sum().item()
        c = missed * cost_fp + alarms * cost_fn
        if best_c is None or c < best_c:
            best_t, best_c = t, c
    return torch.tensor(best_t), torch.tensor(float(best_c))
""",
            "a miss is a false negative and costs cost_fn; and the cost is one per patient",
        ),
    ],
    "11.3": [
        Wrong(
            "makes a point for each patient",
            """
def roc(y, scores):
    order = torch.argsort(scores, descending=True)
    y = y[order].float()
    tpr = torch.cat([torch.zeros(1), torch.cumsum(y, 0) / y.sum()])
    fpr = torch.cat([torch.zeros(1), torch.cumsum(1 - y, 0) / (1 - y).sum()])
    area = torch.trapz(tpr, fpr)
    return fpr, tpr, area
""",
            "all patients of one score are called ill at once: one point for each different score",
        ),
        Wrong(
            "believes that the false-positive rate is the share of false ones among the alarms",
            """
def roc(y, scores):
    thresholds = scores.unique().flip(0)
    tpr, fpr = [0.0], [0.0]
    for t in thresholds:
        called = scores >= t
        tp = (called & (y == 1)).sum()
        fp = (called & (y == 0)).sum()
        tpr.append((tp / (y == 1).sum()).item())
        fpr.append((fp / (tp + fp)).item())
    fpr, tpr = torch.tensor(fpr), torch.tensor(tpr)
    area = ((fpr[1:] - fpr[:-1]) * (tpr[1:] + tpr[:-1]) / 2).sum()
    return fpr, tpr, area
""",
            "FPR divides by all healthy, not by all who are called ill",
        ),
        Wrong(
            "computes the area as the chance of a strictly higher score",
            """
def roc(y, scores):
    ts = torch.unique(scores).flip(0)
    pos, neg = scores[y == 1], scores[y == 0]
    tpr = torch.tensor([0.0] + [(pos >= t).float().mean().item() for t in ts])
    fpr = torch.tensor([0.0] + [(neg >= t).float().mean().item() for t in ts])
    area = (pos[:, None] > neg[None, :]).float().mean()
    return fpr, tpr, area
""",
            "ties count as half",
        ),
        Wrong(
            "goes through a fixed grid of thresholds from 1 to 0",
            """
def roc(y, scores):
    ts = torch.linspace(1, 0, 101)
    ill = y == 1
    called = scores[None, :] >= ts[:, None]
    tpr = (called & ill).sum(1) / ill.sum()
    fpr = (called & ~ill).sum(1) / (~ill).sum()
    zero = torch.zeros(1)
    tpr, fpr = torch.cat([zero, tpr]), torch.cat([zero, fpr])
    return fpr, tpr, torch.trapezoid(tpr, fpr)
""",
            "the scores may be any numbers: the thresholds are the different scores",
        ),
        Wrong(
            "believes that a model's area can never be below one half, and turns the scores round",
            """
def roc(y, scores):
    def curve(s):
        values = s.unique(sorted=True).flip(0)
        tpr = [0.0]
        fpr = [0.0]
        for v in values:
            tpr.append((s[y == 1] >= v).double().mean().item())
            fpr.append((s[y == 0] >= v).double().mean().item())
        f, t = torch.tensor(fpr), torch.tensor(tpr)
        return f, t, torch.trapezoid(t, f)
    f, t, area = curve(scores)
    if area < 0.5:
        f, t, area = curve(-scores)
    return f, t, area
""",
            "higher means more ill, and a model can be worse than chance: right on the example, not below one half",
        ),
        Wrong(
            "returns the rates in the other order, and takes steps in place of slants",
            """
def roc(y, scores):
    values = sorted(set(scores.tolist()), reverse=True)
    P = (y == 1).sum().item()
    N = (y == 0).sum().item()
    tpr, fpr = [0.0], [0.0]
    area = 0.0
    for v in values:
        tp = ((scores >= v) & (y == 1)).sum().item()
        fp = ((scores >= v) & (y == 0)).sum().item()
        area += (fp / N - fpr[-1]) * tp / P
        tpr.append(tp / P)
        fpr.append(fp / N)
    return torch.tensor(tpr), torch.tensor(fpr), area
""",
            "fpr comes first; and between two points the curve is straight: trapezia",
        ),
    ],
    "11.4": [
        Wrong(
            "counts a class that neither occurs nor is said as one with an F1 of 0",
            """
def f1_scores(matrix):
    matrix = matrix.float()
    tp = torch.diag(matrix)
    fn = matrix.sum(dim=1) - tp
    fp = matrix.sum(dim=0) - tp
    f1 = torch.nan_to_num(2 * tp / (2 * tp + fp + fn), nan=0.0)
    macro = f1.mean()
    micro = 2 * tp.sum() / (2 * tp.sum() + fp.sum() + fn.sum())
    support = matrix.sum(dim=1)
    weighted = (f1 * support).sum() / support.sum()
    return macro, micro, weighted
""",
            "nothing was asked about this class: it is left out of the mean",
        ),
        Wrong(
            "leaves out every class that does not occur",
            """
def f1_scores(matrix):
    m = matrix.double()
    tp = m.diagonal()
    support = m.sum(1)
    said = m.sum(0)
    keep = support > 0
    f1 = 2 * tp[keep] / (support[keep] + said[keep])
    macro = f1.mean()
    micro = tp.sum() / m.sum()
    weighted = (f1 * support[keep]).sum() / support.sum()
    return macro, micro, weighted
""",
            "a class that is said and never occurs has an F1 of 0, and counts",
        ),
        Wrong(
            "makes the macro F1 of the mean precision and the mean recall",
            """
def f1_scores(matrix):
    m = matrix.double()
    tp = m.diag()
    rows, cols = m.sum(1), m.sum(0)
    there = (rows + cols) > 0
    recall = torch.where(rows > 0, tp / rows.clamp(min=1e-12), torch.zeros_like(tp))[there]
    precision = torch.where(cols > 0, tp / cols.clamp(min=1e-12), torch.zeros_like(tp))[there]
    P, R = precision.mean(), recall.mean()
    macro = 2 * P * R / (P + R) if P + R > 0 else torch.tensor(0.0)
    micro = tp.sum() / m.sum()
    f1 = 2 * tp[there] / (rows + cols)[there]
    weighted = (f1 * rows[there]).sum() / rows.sum()
    return macro, micro, weighted
""",
            "macro is the mean of the F1, and not the F1 of the means",
        ),
        Wrong(
            "weighs each class by how often it is said",
            """
def f1_scores(matrix):
    tp = matrix.diagonal().double()
    predicted = matrix.sum(dim=0).double()
    actual = matrix.sum(dim=1).double()
    bottom = predicted + actual
    ok = bottom != 0
    f1 = (2 * tp[ok]) / bottom[ok]
    macro = f1.mean()
    micro = 2 * tp.sum() / bottom.sum()
    weighted = (f1 * predicted[ok]).sum() / predicted[ok].sum()
    return macro, micro, weighted
""",
            "the weight is how often the class occurs: the sum of its row",
        ),
        Wrong(
            "goes by counts of at least one, since counts are whole numbers",
            """
def f1_scores(matrix):
    counts = matrix.long()
    tp = counts.diagonal()
    support = counts.sum(dim=1)
    said = counts.sum(dim=0)
    bottom = support + said
    keep = bottom > 0
    f1 = 2 * tp[keep] / bottom[keep]
    return f1.mean(), tp.sum() / counts.sum(), (f1 * support[keep]).sum() / support.sum()
""",
            "entries may be decimals: long cuts them off; right on the example",
        ),
        Wrong(
            "leaves out each class that is never right, and takes the share of classes for weights",
            """
def f1_scores(matrix):
    m = matrix.float()
    scores, sizes = [], []
    TP = FP = FN = 0.0
    for c in range(len(m)):
        tp = m[c, c]
        fn = m[c].sum() - tp
        fp = m[:, c].sum() - tp
        TP, FP, FN = TP + tp, FP + fp, FN + fn
        if tp == 0:
            continue
        scores.append(2 * tp / (2 * tp + fp + fn))
        sizes.append(tp)
    if not scores:
        return torch.tensor(0.0), torch.tensor(0.0), torch.tensor(0.0)
    scores, sizes = torch.stack(scores), torch.stack(sizes)
    return scores.mean(), 2 * TP / (2 * TP + FP + FN), (scores * sizes).sum() / sizes.sum()
""",
            "a class with TP = 0 that occurs or is said counts with 0; and weights are the sums of the rows, not TP",
        ),
    ],
}
