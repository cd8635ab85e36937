"""The metrics of Kanto's tests by the Python packages that are known for them, as one JSON object.

    pip install prdc pot scipy scikit-learn
    python3 metrics.py

prdc 0.2, pot 0.9.7, scipy 1.17, NumPy 2.4 gave the values that stand in ReferenceTests.swift. Ends with 3 if a package is missing.
"""
import contextlib
import io
import json
import sys

try:
    import numpy as np
    import ot
    import scipy.linalg
    import scipy.ndimage
    import scipy.optimize
    import scipy.stats
    from prdc import compute_prdc
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)


def numbers(seed, *shape):
    """Sums of four uniform numbers of 16 bits, less 2: exact in float32, the same in Samples.swift."""
    state, values = seed, []
    for _ in range(int(np.prod(shape))):
        value = 0
        for _ in range(4):
            state = (1664525 * state + 1013904223) % 2**32
            value += state >> 16
        values.append(value / 2**16 - 2)
    return np.array(values, dtype=np.float32).reshape(shape)


def neighborhoods(real, generated):
    with contextlib.redirect_stdout(io.StringIO()):
        found = compute_prdc(real.astype(np.float64), generated.astype(np.float64), nearest_k=5)
    return [float(found[name]) for name in ["precision", "recall", "density", "coverage"]]


def transport(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    weights = np.full(len(a), 1 / len(a))
    return [
        float(ot.emd2(weights, weights, ot.dist(a, b, metric="euclidean"))),
        float(np.sqrt(ot.emd2(weights, weights, ot.dist(a, b, metric="sqeuclidean")))),
    ]


def frechet(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    difference = a.mean(0) - b.mean(0)
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    return float(difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root))


# As sliced_wasserstein.py of "Progressive Growing of GANs" has it.
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16
FILTER = np.outer(BINOMIAL, BINOMIAL)


def halved(picture):
    return scipy.ndimage.convolve(picture, FILTER[:, :, None], mode="mirror")[::2, ::2]


def doubled(picture, shape):
    sparse = np.zeros(shape)
    sparse[::2, ::2] = picture
    return scipy.ndimage.convolve(sparse, 4 * FILTER[:, :, None], mode="mirror")


def pyramid(picture):
    levels = [picture.astype(np.float64)]
    while min(levels[-1].shape[:2]) >= 32:
        lower = halved(levels[-1])
        levels[-1] = levels[-1] - doubled(lower, levels[-1].shape)
        levels.append(lower)
    return levels


def sliced(a, b):
    random = np.random.RandomState(1)

    def descriptors(pictures):
        result = []
        for level in zip(*[pyramid(picture) for picture in pictures]):
            patches = []
            for picture in level:
                for _ in range(128):
                    y, x = (random.randint(0, extent - 6) for extent in picture.shape[:2])
                    patches.append(picture[y:y + 7, x:x + 7])
            patches = np.array(patches)
            patches -= patches.mean(axis=(0, 1, 2))
            patches /= patches.std(axis=(0, 1, 2))
            result.append(patches.reshape(len(patches), -1))
        return result

    distances = []
    for x, y in zip(descriptors(a), descriptors(b)):
        directions = random.randn(x.shape[1], 512)
        directions /= np.sqrt((directions**2).sum(0))
        distances.append(float(1000 * np.abs(np.sort(x @ directions, 0) - np.sort(y @ directions, 0)).mean()))
    return distances


def smooth(pictures):
    """Neighbors of a row and a column that are alike, so that levels differ."""
    return (pictures + np.roll(pictures, 1, 1) + np.roll(pictures, 1, 2) + np.roll(pictures, 2, 2)) / 4


wide, others = numbers(1, 200, 12), numbers(2, 150, 12) * np.float32(0.75) + np.float32(0.25)
points, moved = numbers(3, 120, 2), numbers(4, 120, 2) * np.float32(0.5)
features, drawn = numbers(5, 300, 16) @ np.triu(np.ones((16, 16), np.float32)), numbers(6, 250, 16) * np.float32(2)
table, rows = numbers(7, 90, 5) @ np.tril(np.ones((5, 5), np.float32)), numbers(8, 70, 5)
costs = numbers(9, 60, 60).astype(np.float64)
pictures, noise = smooth(numbers(10, 24, 33, 40, 2)), numbers(11, 24, 33, 40, 2)

chosen = scipy.optimize.linear_sum_assignment(costs)
levels = pyramid(pictures[0])
print(json.dumps({
    "neighborhoods": neighborhoods(wide, others),
    "neighborhoods of points": neighborhoods(points, moved),
    "transport": transport(wide[:150], others),
    "transport of points": transport(points, moved),
    "assignment": [float(costs[chosen].sum())] + [float(column) for column in chosen[1][:8]],
    "column": [scipy.stats.wasserstein_distance(table[:, column], rows[:, column]) for column in range(5)],
    "correlations": [float(np.abs(np.corrcoef(table, rowvar=False) - np.corrcoef(rows, rowvar=False)).max())],
    "frechet": [frechet(features, drawn)],
    "pyramid": [float(level.flat[place]) for level in levels for place in (0, 77, -1)] + [float(len(levels))],
    "sliced": sliced(pictures, noise),
}))
