"""Lab `optimizers`: the rules of the lecture as identities, on surfaces, on images, with decay, and on words.

Each part is a file of its own, which says what it measures and how. This one puts them together.
"""

from functools import partial

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.optimizers.decay import compare_decays
from hf_llm.experiments.optimizers.identities import compare_rules
from hf_llm.experiments.optimizers.images import race_on_images
from hf_llm.experiments.optimizers.surfaces import race_on_surfaces
from hf_llm.experiments.optimizers.tasks import BATCH_SIZE, BETAS, HIDDEN_SIZES, ThreeParts
from hf_llm.experiments.optimizers.word_decay import decay_on_words
from hf_llm.experiments.optimizers.words import TEXT, race_on_words
from hf_llm.experiments.parts import run_parts
from hf_llm.experiments.result import Progress, Result, Words
from hf_llm.training.launch import start_processes

TITLE = Words(
    pt="Otimizadores: SGD, momentum, RMSprop, Adam e AdamW, a partir das fórmulas",
    en="Optimizers: SGD, momentum, RMSprop, Adam and AdamW, from their formulas",
)

INTRODUCTION = Words(
    pt="""\
A aula diz que o momentum é “uma velocidade, depois um passo” e que o Adam combina o RMSprop e o momentum. O arquivo
`hf_llm/experiments/shared/textbook_optimizers.py` escreve as cinco regras, cada uma em poucas linhas, e este laboratório as põe
à prova:

- **São mesmo essas as regras?** Duas cópias de uma rede andam lado a lado, cada uma com a sua regra. Se as duas regras
  são a mesma, os pesos não se separam. Assim se vê que o Adam sem uma das metades *é* a outra: sem o primeiro momento,
  o RMSprop; sem o segundo, o momentum.
- **Quem chega antes?** Em superfícies de dois pesos dá para ver o caminho: um vale estreito, o mesmo vale girado, o
  vale curvo de Rosenbrock. Cada regra usa a melhor taxa de uma grade fina.
- **E numa rede?** Com imagens, cada regra procura a sua taxa de aprendizado numa grade do mesmo tamanho, e as imagens
  da busca não são as que medem o resultado. O Adam também corre sem cada uma das metades.
- **Onde fica o weight decay?** Dentro da perda (L2) ou ao lado do passo (desacoplado, AdamW). Para qual regra tanto
  faz?
- **Por que não SGD para modelos de linguagem?** O menor modelo que tem o problema: prever a próxima palavra de um
  conto em que poucas palavras são frequentes e a maioria aparece uma única vez.
""",
    en="""\
The lecture says that momentum is “a velocity, then a step” and that Adam combines RMSprop and momentum. The file
`hf_llm/experiments/shared/textbook_optimizers.py` writes the five rules in a few lines each, and this lab puts them to the test:

- **Are these really the rules?** Two copies of a net walk side by side, each with its own rule. If the two rules are
  one, the weights never part. That shows that Adam without one half *is* the other half: without the first moment it
  is RMSprop, without the second it is momentum.
- **Who arrives first?** On surfaces of two weights one can see the path: a narrow valley, the same valley turned,
  Rosenbrock's bent valley. Every rule takes the best rate of a fine grid.
- **And in a net?** With images each rule looks for its learning rate in a grid of the same size, and the images of the
  search are not those that measure the outcome. Adam runs without each of its halves, too.
- **Where does weight decay belong?** In the loss (L2) or beside the step (decoupled, AdamW). For which rule does it
  make no difference?
- **Why not SGD for language models?** The smallest model that has the problem: predicting the next word of a story in
  which few words are frequent and most appear only once.
""",
)

CAVEATS = [
    Words(
        pt="As superfícies não têm ruído, e nelas a taxa é constante: uma taxa decrescente ajudaria o RMSprop e o Adam "
        "a parar no fundo. A melhor taxa é a melhor para as próprias partidas medidas. Uma partida que não chega conta "
        "com todos os passos que teve.",
        en="The surfaces have no noise, and the rate is constant on them: a falling rate would help RMSprop and Adam "
        "to settle at the bottom. The best rate is the best for the very starts that are measured. A start that does "
        "not arrive counts with all the steps it had.",
    ),
    Words(
        pt="Os intervalos valem para as taxas escolhidas; a escolha, feita com poucas sementes numa grade grossa, "
        "também varia. Treinos mais longos, outras redes ou outra queda da taxa podem inverter diferenças pequenas.",
        en="The intervals hold for the chosen rates; the choice itself, made with few seeds on a coarse grid, varies "
        "too. Longer trainings, other nets or another decay of the rate may reverse small differences.",
    ),
    Words(
        pt="Na corrida, o AdamW tem o seu decaimento, os outros não têm nenhum; sem decaimento, o AdamW é o Adam.",
        en="In the race AdamW has its decay, the others have none; without decay AdamW is Adam.",
    ),
    Words(
        pt="O modelo das palavras é uma matriz de embeddings e uma camada linear sobre um conto curto: mostra um "
        "mecanismo e não diz quanto ele pesa num modelo de linguagem grande. A perda ali é a de treino, porque a "
        "pergunta é de otimização.",
        en="The model of words is an embedding matrix and a linear layer on a short story: it shows a mechanism and "
        "does not say how much that weighs in a large language model. Its loss is that of training, for the question "
        "is one of optimization.",
    ),
]


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Run all parts of the lab.

    Raises:
        UserError: When the images cannot be read.
    """
    start_processes(threads=1)  # nets of this size gain nothing from a second one, and the bits depend on the number
    images = ThreeParts.read(config.data)
    parts = [
        partial(compare_rules, images),
        race_on_surfaces,
        partial(race_on_images, images),
        partial(compare_decays, images),
        race_on_words,
        decay_on_words,
    ]
    findings, tables, charts = run_parts(parts, config, progress)
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L10", "L11", "L12", "L15", "L33"],
        quick=config.quick,
        seeds=list(range(config.seeds)),
        settings={
            "images": images.name, "images_sha256": images.sha256, "text": TEXT, "hidden_sizes": HIDDEN_SIZES,
            "batch_size": BATCH_SIZE, "betas": list(BETAS),
        },
        findings=findings,
        tables=tables,
        charts=charts,
        caveats=CAVEATS,
    )  # fmt: skip
