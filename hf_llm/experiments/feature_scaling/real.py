"""Part of the lab `feature-scaling`: real tables, raw and standardised, and the two paths on the contour lines.

Least squares by gradient descent at the best constant rate, 2 / (λmin + λmax). The raw features stand beside a column
of ones for the intercept, as they come from the file; standardising takes away each one's mean and divides by its
deviation. That makes the units alike but leaves features that say the same thing as correlated as they were.
"""

import numpy as np
import sklearn.datasets
from matplotlib.figure import Figure

from hf_llm.evaluation.charts import band, label, new_figure, style
from hf_llm.experiments.feature_scaling.condition import bound
from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.parts import Outcome, rounded
from hf_llm.experiments.result import Chart, Finding, Language, Progress, Table, Words, track

TOLERANCE = 0.01  # of the excess loss at the start
SHARE = 0.8  # of the rows, drawn by the seed
ALIKE = 2.0  # a condition number up to this counts as close to one
DATA_SETS = {
    "diabetes": Words(pt="diabetes (progressão da doença)", en="diabetes (progress of the disease)"),
    "wine": Words(pt="vinhos (cultivar)", en="wine (cultivar)"),
    "breast_cancer": Words(pt="câncer de mama (diagnóstico)", en="breast cancer (diagnosis)"),
}
VERSIONS = {
    "raw": Words(pt="brutos", en="raw"),
    "standardised": Words(pt="padronizados", en="standardised"),
}


def read_table(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (n, d) as they are in the file, and the target (n,) with mean 0 and deviation 1."""
    options = {"scaled": False} if name == "diabetes" else {}
    features, target = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True, **options)
    rows = np.random.default_rng(seed).permutation(len(target))[: round(SHARE * len(target))]
    features, target = features[rows], target[rows].astype(np.float64)
    return features, (target - target.mean()) / target.std()


def standardise(features: np.ndarray) -> np.ndarray:
    """Return the features with mean 0 and deviation 1, column by column."""
    return (features - features.mean(axis=0)) / features.std(axis=0)


def design_matrix(features: np.ndarray, version: str) -> np.ndarray:
    """Return what the linear model sees: raw features and a 1 for the intercept, or standardised features.

    Standardised features and target have mean 0, so that the best intercept is 0 and needs no column.
    """
    return np.c_[features, np.ones(len(features))] if version == "raw" else standardise(features)


def descend(hessian: np.ndarray, solution: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Run gradient descent from 0 at the best constant rate.

    Returns:
        Excess loss as a share of that at the start, (steps + 1,); the weights, (steps + 1, d); the condition number.
    """
    eigenvalues = np.linalg.eigvalsh(hessian)
    rate = 2 / (eigenvalues[0] + eigenvalues[-1])
    w, errors = np.zeros_like(solution), []
    for _ in range(steps + 1):
        errors.append(w - solution)
        w = w - rate * hessian @ (w - solution)  # the gradient of the least squares, Xᵀ(Xw − y) / n
    errors = np.array(errors)
    excess = np.einsum("td,de,te->t", errors, hessian, errors) / 2
    return excess / excess[0], errors + solution, eigenvalues[-1] / eigenvalues[0]


def two_paths() -> tuple[Table, Chart]:
    """Return the lecture's figure: the paths on two features, one in units five times as large, raw and scaled."""
    correlation, unit = 0.3, 5.0
    rows = []
    for version, scale in (("raw", unit), ("standardised", 1.0)):
        hessian = np.array([[1.0, correlation * scale], [correlation * scale, scale**2]])
        shares, path, condition = descend(hessian, np.array([1.0, 1.0 / scale]), steps=60)
        rows.append({
            "version": VERSIONS[version], "condition": condition, "steps": int(np.argmax(shares <= TOLERANCE)),
            "hessian": hessian.tolist(), "path": rounded(path),
        })  # fmt: skip
    headings = {
        "version": Words(pt="atributos", en="features"),
        "condition": Words(pt="número de condição", en="condition number"),
        "steps": Words(pt="passos até a tolerância", en="steps to the tolerance"),
    }
    caption = Words(pt="Dois atributos, brutos e padronizados", en="Two features, raw and standardised")
    table = Table(caption, headings, rows)
    caption = Words(
        pt="O caminho do gradiente descendente sobre as curvas de nível da perda, na sua melhor taxa: com atributos "
        "brutos e com padronizados. A estrela é o mínimo.",
        en="The path of gradient descent over the contour lines of the loss, at its best rate: with raw features and "
        "with standardised ones. The star is the minimum.",
    )

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(1, 2)
        for axis, row in zip(axes[0], table.rows):
            path, hessian = np.array(row["path"]), np.array(row["hessian"])
            target = path[-1]
            reach = 1.3 * np.abs(path - target).max(axis=0)
            x, y = (np.linspace(-r, r, 120) for r in reach)
            error = np.stack(np.meshgrid(x, y), axis=-1)
            loss = np.einsum("abd,de,abe->ab", error, hessian, error) / 2
            levels = loss.max() * np.geomspace(1e-3, 1, 10)
            axis.contour(x + target[0], y + target[1], loss, levels=levels, colors="0.75", linewidths=0.8)
            axis.plot(path[:, 0], path[:, 1], marker=".", lw=1.2, **style(0))
            axis.plot(*target, "k*", ms=10, zorder=5)
            label(axis, "w₁", "w₂", row["version"][language], legend=False)
        return figure

    return table, Chart(caption, draw)


def raw_against_standardised(seeds: int, quick: bool, progress: Progress) -> Outcome:
    """Return findings, tables and charts; the seed draws four fifths of the rows."""
    steps = 1_000 if quick else 10_000
    kept = np.unique(np.geomspace(1, steps, 60).astype(int))  # of a curve
    shares, conditions, arrivals = {}, {}, {}
    for name, version in track([(name, version) for name in DATA_SETS for version in VERSIONS], progress):
        key = name, version
        shares[key], conditions[key], arrivals[key] = [], [], []
        for seed in range(seeds):
            features, target = read_table(name, seed)
            matrix = design_matrix(features, version)
            solution = np.linalg.lstsq(matrix, target)[0]
            curve, _, condition = descend(matrix.T @ matrix / len(matrix), solution, steps)
            shares[key].append(rounded(curve[kept]))
            conditions[key].append(condition)
            arrivals[key].append(int(np.argmax(curve <= TOLERANCE)) or None)
    rows = [
        {
            "name": DATA_SETS[name], "version": VERSIONS[version], "key": name,
            "condition": float(np.exp(np.mean(np.log(conditions[name, version])))),
            "bound": float(np.mean([bound(condition, TOLERANCE) for condition in conditions[name, version]])),
            "arrived": sum(steps is not None for steps in arrivals[name, version]),
            "steps": _mean_or_none(arrivals[name, version]),
            "left": float(np.mean([curve[-1] for curve in shares[name, version]])),
            "curve_steps": kept.tolist(), "curves": shares[name, version],
        }
        for name, version in shares
    ]  # fmt: skip
    headings = {
        "name": Words(pt="dados", en="data"),
        "version": Words(pt="atributos", en="features"),
        "condition": Words(pt="número de condição", en="condition number"),
        "bound": Words(pt="passos: limite da teoria", en="steps: the theory's bound"),
        "steps": Words(pt="passos medidos (vazio: não chegou)", en="measured steps (empty: did not arrive)"),
        "arrived": Words(pt="sementes que chegaram", en="seeds that arrived"),
        "left": Words(pt="perda excedente que resta no fim", en="excess loss left at the end"),
    }
    caption = Words(
        pt="Regressão linear em dados reais, com atributos brutos e padronizados",
        en="Linear regression on real data, with raw and with standardised features",
    )
    table = Table(caption, headings, rows)
    path_table, path_chart = two_paths()
    tables, charts = {"paths": path_table, "real": table}, {"paths": path_chart, "real": _chart(table)}
    return _findings(shares, conditions), tables, charts


def _mean_or_none(arrivals: list[int | None]) -> float | None:
    return None if None in arrivals else float(np.mean(arrivals))


def _findings(shares: dict, conditions: dict) -> list[Finding]:
    left = {key: np.array(curves)[:, -1] for key, curves in shares.items()}  # (seeds,)
    measure = Words(pt="perda excedente que resta após os mesmos passos: brutos − padronizados",
                    en="excess loss left after the same steps: raw − standardised")  # fmt: skip
    findings = [
        over_seeds((
            Words(pt=f"Com atributos padronizados, o gradiente descendente chega mais longe: {words.pt}.",
                  en=f"With standardised features gradient descent gets further: {words.en}."),
            measure,
        ), left[name, "raw"] - left[name, "standardised"])
        for name, words in DATA_SETS.items()
    ]  # fmt: skip
    lead = min(
        (np.mean(shares[name, "raw"], axis=0) - np.mean(shares[name, "standardised"], axis=0)).min()
        for name in DATA_SETS
    )
    largest = max(max(conditions[name, "standardised"]) for name in DATA_SETS)
    return [
        *findings,
        exact((
            Words(pt="Com atributos padronizados, o gradiente descendente está sempre à frente, em todos os dados.",
                  en="With standardised features gradient descent is always ahead, on all data."),
            Words(pt="menor vantagem ao longo das curvas médias: perda excedente, brutos − padronizados",
                  en="smallest lead along the mean curves: excess loss, raw − standardised"),
        ), lead, lead > 0),
        exact((
            Words(pt="Depois de padronizar, o número de condição fica perto de um, também em dados reais.",
                  en="After standardising, the condition number is close to one on real data too."),
            Words(pt="maior número de condição com atributos padronizados",
                  en="largest condition number with standardised features"),
        ), largest, largest <= ALIKE),
    ]  # fmt: skip


def _chart(table: Table) -> Chart:
    caption = Words(
        pt="Perda excedente, como fração da inicial, ao longo dos passos do gradiente descendente na sua melhor taxa: "
        "média e faixa sobre as sementes.",
        en="Excess loss, as a share of that at the start, along the steps of gradient descent at its best rate: mean "
        "and range over the seeds.",
    )

    def draw(language: Language) -> Figure:
        figure, axes = new_figure(1, len(DATA_SETS), width=4)
        axis_names = {"pt-BR": ("passo", "perda excedente"), "en": ("step", "excess loss")}[language]
        for axis, (name, words) in zip(axes[0], DATA_SETS.items()):
            for number, row in enumerate(row for row in table.rows if row["key"] == name):
                band(axis, row["curve_steps"], row["curves"], row["version"][language], number)
            axis.set(xscale="log", yscale="log", ylim=(1e-4, 1.5))
            label(axis, *axis_names, words[language], legend=name == "diabetes")
        return figure

    return Chart(caption, draw)
