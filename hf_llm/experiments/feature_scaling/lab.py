"""Lab `feature-scaling`: the lecture's figure of gradient descent with and without scaled features, measured.

Each part is a file of its own, which says what it measures and how. This one puts them together.
"""

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.feature_scaling.condition import condition_against_steps
from hf_llm.experiments.feature_scaling.nets import scale_in_nets
from hf_llm.experiments.feature_scaling.real import DATA_SETS, raw_against_standardised
from hf_llm.experiments.parts import run_parts
from hf_llm.experiments.result import Progress, Result, Words
from hf_llm.training.launch import start_processes

TITLE = Words(
    pt="Escala dos atributos: o número de condição e os passos até convergir",
    en="Feature scaling: the condition number and the steps to converge",
)

INTRODUCTION = Words(
    pt="""\
A figura da aula mostra o gradiente descendente em zigue-zague num vale alongado e, com os atributos na mesma escala,
quase em linha reta até o mínimo. Quanto vale isso?

- **Em dois pesos**, para ver: a mesma regressão com atributos brutos e padronizados.
- **Onde tudo se sabe**: o número de condição κ é a razão entre a maior e a menor curvatura da perda. Para uma
  regressão linear, a teoria diz quantos passos bastam ao gradiente descendente na sua melhor taxa. Medimos os passos
  e os comparamos com ela; ao lado, o momentum com as suas melhores constantes e o Adam na melhor taxa de uma grade.
- **Em dados reais** do scikit-learn, brutos como vêm no arquivo e padronizados. Padronizar iguala as unidades; não
  separa atributos que dizem a mesma coisa.
- **Numa rede pequena**: SGD, Adam e SGD com batch norm, cada um na melhor taxa de uma grade larga. Quem sofre menos
  com atributos brutos?
""",
    en="""\
The lecture's figure shows gradient descent zigzagging in a long valley and, with the features on one scale, going
almost straight to the minimum. What is that worth?

- **On two weights**, to see it: the same regression with raw and with standardised features.
- **Where everything is known**: the condition number κ is the ratio of the largest to the smallest curvature of the
  loss. For a linear regression the theory says how many steps are enough for gradient descent at its best rate. We
  measure the steps and hold them against it; beside it, momentum with its best constants and Adam at the best rate of
  a grid.
- **On real data** of scikit-learn, raw as they stand in the file and standardised. Standardising makes the units
  alike; it does not separate features that say the same thing.
- **In a small net**: SGD, Adam, and SGD with batch norm, each at the best rate of a wide grid. Who suffers least from
  raw features?
""",
)

CAVEATS = [
    Words(
        pt="A melhor taxa constante é a do pior caso: garante o limite para qualquer partida e pode ser mais lenta no "
        "começo que uma taxa menor. Ela supõe que se conheçam as curvaturas, o que numa rede não acontece.",
        en="The best constant rate is that of the worst case: it keeps the bound from any start and may be slower at "
        "first than a lower rate. It supposes that the curvatures are known, which in a net they are not.",
    ),
    Words(
        pt="Nos dados reais, os alvos dos vinhos e do câncer são classes tratadas como números: são mínimos quadrados "
        "para olhar a otimização, não um classificador. Todas as perdas são de treino.",
        en="Of the real data, the targets of wine and cancer are classes taken as numbers: least squares to look at "
        "optimization, not a classifier. All losses are those of training.",
    ),
    Words(
        pt="As redes têm uma camada oculta, veem o conjunto inteiro a cada passo e dão poucos passos; o batch norm não "
        "tem os seus parâmetros de escala e deslocamento.",
        en="The nets have one hidden layer, see the whole set at each step and take few steps; batch norm is without "
        "its parameters of scale and shift.",
    ),
]


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Run all parts of the lab; it needs no images and no network."""
    start_processes(threads=1)  # tensors of this size gain nothing from a second one, and the bits depend on the number
    parts = [raw_against_standardised, condition_against_steps, scale_in_nets]
    findings, tables, charts = run_parts(parts, config, progress)
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L11", "L13", "L16"],
        quick=config.quick,
        seeds=list(range(config.seeds)),
        settings={"data": list(DATA_SETS)},
        findings=findings,
        tables=tables,
        charts=charts,
        caveats=CAVEATS,
    )
