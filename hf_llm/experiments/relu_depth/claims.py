"""The claims of `relu-depth`, each with what is measured about it, in both languages."""

from hf_llm.experiments.backprop.words import ACTIVATION_NAMES
from hf_llm.experiments.relu_depth.words import RESCUES, WEIGHTS
from hf_llm.experiments.result import Words
from hf_llm.experiments.seed_comparison import POINTS

LOST = Words(
    pt="antes do treino, potências de dez que o gradiente perde da última à primeira camada oculta; duas são um "
    "centésimo",
    en="before training, powers of ten that the gradient loses from the last hidden layer to the first; two are a "
    "hundredth",
)
GAINED = Words(
    pt="antes do treino, potências de dez que o gradiente ganha da última à primeira camada oculta; duas são cem vezes",
    en="before training, powers of ten that the gradient gains from the last hidden layer to the first; two are a "
    "hundred times",
)
LOST_AFTER = Words(
    pt="depois do treino, potências de dez que o gradiente perde da última à primeira camada oculta",
    en="after training, powers of ten that the gradient loses from the last hidden layer to the first",
)
CLAIMS = {
    "relu_he_keeps": (
        Words(
            pt="“A ReLU evita o desaparecimento do gradiente”: com pesos de He, a primeira camada da rede mais "
            "profunda recebe ao menos um centésimo do gradiente da última",
            en="“ReLU avoids the vanishing gradient”: with He's weights the first layer of the deepest net gets at "
            "least a hundredth of the last one's gradient",
        ),
        LOST,
    ),
    "relu_xavier_keeps": (
        Words(
            pt="“A ReLU evita o desaparecimento do gradiente” por si só: também com pesos de Xavier, a primeira camada "
            "da rede mais profunda recebe ao menos um centésimo do gradiente da última",
            en="“ReLU avoids the vanishing gradient” by itself: with Xavier's weights, too, the first layer of the "
            "deepest net gets at least a hundredth of the last one's gradient",
        ),
        LOST,
    ),
    "halves": (
        Words(
            pt="Com pesos de Xavier, cada camada ReLU deixa passar cerca de metade do quadrado do gradiente",
            en="With Xavier's weights each ReLU layer lets about half of the gradient's square through",
        ),
        Words(
            pt="o que uma camada da rede mais profunda deixa do quadrado, média geométrica",
            en="what a layer of the deepest net leaves of the square, geometric mean",
        ),
    ),
    "even": (
        Words(
            pt="Nessa rede (ReLU, Xavier), o gradiente dos pesos é parecido em todas as camadas: entre a segunda e a "
            "última, menos de dez vezes",
            en="In that net (ReLU, Xavier) the gradient of the weights is alike in all layers: less than ten times "
            "between the second and the last",
        ),
        Words(
            pt="antes do treino, potências de dez que o gradiente dos pesos perde da última à segunda camada oculta; o "
            "sinal encolhe na ida como o gradiente na volta, e os pesos recebem o produto dos dois",
            en="before training, powers of ten that the gradient of the weights loses from the last hidden layer to "
            "the second; the signal shrinks on its way up as the gradient does on its way back, and weights get the "
            "product of the two",
        ),
    ),
    "tiny": (
        Words(
            pt="Mas lá ele é minúsculo em todas: menos de um milésimo do que com pesos de He",
            en="But there it is tiny in all of them: less than a thousandth of what it is with He's weights",
        ),
        Words(
            pt="antes do treino, gradiente dos pesos da última camada oculta, He contra Xavier, em potências de dez, "
            "pareado",
            en="before training, gradient of the last hidden layer's weights, He against Xavier, in powers of ten, "
            "paired",
        ),
    ),
    "explodes_batch_norm": (
        Words(
            pt="Só com batch norm, o gradiente da rede mais profunda com ReLU explode no início: a primeira camada "
            "recebe mais de cem vezes o da última",
            en="With batch norm alone the gradient of the deepest ReLU net explodes at the start: the first layer gets "
            "more than a hundred times the last one's",
        ),
        GAINED,
    ),
    "explodes_shortcuts": (
        Words(
            pt="Só com atalhos, o gradiente da rede mais profunda com ReLU explode no início",
            en="With shortcuts alone the gradient of the deepest ReLU net explodes at the start",
        ),
        GAINED,
    ),
    "explodes_both": (
        Words(
            pt="Com batch norm e atalhos, o gradiente da rede mais profunda com ReLU explode no início",
            en="With batch norm and shortcuts the gradient of the deepest ReLU net explodes at the start",
        ),
        GAINED,
    ),
    "alike": (
        Words(
            pt="O gradiente não é tudo: na rede mais profunda com ReLU e pesos de He, duas imagens chegam quase iguais "
            "à última camada",
            en="The gradient is not everything: in the deepest net with ReLU and He's weights two images reach the "
            "last layer almost alike",
        ),
        Words(
            pt="antes do treino, cosseno médio entre o que duas imagens põem na última camada oculta; acima de nove "
            "décimos conta como quase iguais",
            en="before training, mean cosine between what two images give to the last hidden layer; above nine tenths "
            "counts as almost alike",
        ),
    ),
    "alike_tanh": (
        Words(
            pt="Com tanh e pesos de Xavier, as imagens chegam lá menos parecidas do que com ReLU e pesos de He",
            en="With tanh and Xavier's weights images get there less alike than with ReLU and He's weights",
        ),
        Words(
            pt="antes do treino, esse cosseno, ReLU menos tanh, pareado",
            en="before training, that cosine, ReLU minus tanh, paired",
        ),
    ),
    "he_over_xavier": (
        Words(
            pt="A rede mais profunda com ReLU acerta mais com pesos de He do que com os de Xavier",
            en="The deepest ReLU net gets more right with He's weights than with Xavier's",
        ),
        POINTS,
    ),
    "deeper_is_better": (
        Words(
            pt="Com ReLU e pesos de He, a rede mais profunda acerta mais do que a mais rasa",
            en="With ReLU and He's weights the deepest net gets more right than the shallowest",
        ),
        POINTS,
    ),
    "adam_few": (
        Words(
            pt="Com poucas camadas, o Adam salva a sigmoide: acerta ao menos dez pontos a mais do que o SGD",
            en="With few layers Adam saves the sigmoid: it gets at least ten points more right than SGD",
        ),
        Words(
            pt="acurácia no teste, na segunda profundidade da grade, diferença em pontos percentuais, pareada",
            en="test accuracy, at the grid's second depth, difference in percentage points, paired",
        ),
    ),
    "adam_deepest": (
        Words(
            pt="O Adam salva também a rede mais profunda com sigmoide",
            en="Adam saves the deepest sigmoid net, too",
        ),
        Words(
            pt="acurácia no teste, Adam menos SGD, em pontos percentuais, pareada; dez é o que se pede",
            en="test accuracy, Adam minus SGD, in percentage points, paired; ten are asked for",
        ),
    ),
    "comes_back": (
        Words(
            pt="Treinar traz de volta o gradiente da rede mais profunda com sigmoide: a primeira camada passa a "
            "receber ao menos um centésimo do da última",
            en="Training brings the gradient of the deepest sigmoid net back: its first layer comes to get at least a "
            "hundredth of the last one's",
        ),
        LOST_AFTER,
    ),
    "stays": (
        Words(
            pt="Na rede mais profunda com ReLU e pesos de He, o gradiente continua chegando: depois do treino, a "
            "primeira camada recebe ao menos um centésimo do da última",
            en="In the deepest net with ReLU and He's weights the gradient keeps arriving: after training the first "
            "layer gets at least a hundredth of the last one's",
        ),
        LOST_AFTER,
    ),
    "none_dead": (
        Words(
            pt="“A ReLU evita o gradiente morto”: antes do treino, nenhuma unidade da rede mais profunda com ReLU está "
            "morta",
            en="“ReLU avoids the dead gradient”: before training no unit of the deepest ReLU net is dead",
        ),
        Words(
            pt="parte das unidades mortas, a maior entre as sementes",
            en="share of dead units, the largest of the seeds",
        ),
    ),
    "deeper_is_deader": (
        Words(
            pt="Quanto mais profunda a rede com ReLU, mais unidades já nascem mortas",
            en="The deeper the ReLU net, the more of its units are born dead",
        ),
        Words(
            pt="parte das unidades mortas antes do treino, a mais profunda menos a mais rasa",
            en="share of dead units before training, the deepest minus the shallowest",
        ),
    ),
    "fewer_dead": (
        Words(
            pt="“A ReLU evita o gradiente morto”: depois do treino, a rede mais profunda tem menos unidades mortas com "
            "ReLU do que com sigmoide",
            en="“ReLU avoids the dead gradient”: after training the deepest net has fewer dead units with ReLU than "
            "with sigmoid",
        ),
        Words(
            pt="parte das unidades mortas, sigmoide menos ReLU; um gradiente pode sumir sem que unidade alguma morra",
            en="share of dead units, sigmoid minus ReLU; a gradient can vanish without any unit dying",
        ),
    ),
    "never_come_back": (
        Words(
            pt="“Uma unidade ReLU morta não volta”: das que nasceram mortas na rede mais profunda, menos de um "
            "centésimo volta durante o treino",
            en="“A dead ReLU unit does not come back”: of those born dead in the deepest net less than a hundredth "
            "come back while it trains",
        ),
        Words(
            pt="parte das que nasceram mortas e já não estão mortas no fim",
            en="share of those born dead that are not dead at the end",
        ),
    ),
    "rescued_from_death": (
        Words(
            pt="Com batch norm e atalhos, quase nenhuma unidade da rede mais profunda com ReLU acaba morta: menos de "
            "um centésimo",
            en="With batch norm and shortcuts hardly any unit of the deepest ReLU net ends up dead: less than a "
            "hundredth",
        ),
        Words(pt="parte das unidades mortas depois do treino", en="share of dead units after training"),
    ),
    "helps_batch_norm": (
        Words(
            pt="Batch norm sozinho ajuda a rede mais profunda com ReLU a acertar mais",
            en="Batch norm alone helps the deepest ReLU net to get more right",
        ),
        POINTS,
    ),
    "helps_shortcuts": (
        Words(
            pt="Atalhos sozinhos ajudam a rede mais profunda com ReLU a acertar mais",
            en="Shortcuts alone help the deepest ReLU net to get more right",
        ),
        POINTS,
    ),
    "helps_both": (
        Words(
            pt="Batch norm e atalhos juntos ajudam a rede mais profunda com ReLU a acertar mais",
            en="Batch norm and shortcuts together help the deepest ReLU net to get more right",
        ),
        POINTS,
    ),
    "sigmoid_wins": (
        Words(
            pt="A rede mais profunda acerta mais com sigmoide e batch norm do que com ReLU sem nada",
            en="The deepest net gets more right with sigmoid and batch norm than with ReLU and nothing",
        ),
        POINTS,
    ),
    "no_matter": (
        Words(
            pt="Com batch norm e atalhos, a ativação já não decide: na rede mais profunda, a melhor e a pior ficam a "
            "menos de dois pontos uma da outra",
            en="With batch norm and shortcuts the activation no longer decides: in the deepest net the best and the "
            "worst are less than two points apart",
        ),
        POINTS,
    ),
}


def vanishing_claim(activation: str, weights: str) -> tuple[Words, Words]:
    """Return the claim that the gradient vanishes in the deepest net."""
    name, drawn = ACTIVATION_NAMES[activation], WEIGHTS[weights]
    claim = Words(
        pt=f"Na rede mais profunda com {name.pt} e pesos de {drawn.pt}, o gradiente some: a primeira camada recebe "
        "menos de um centésimo do que a última recebe",
        en=f"In the deepest net with {name.en} and {drawn.en}'s weights the gradient vanishes: the first layer gets "
        "less than a hundredth of what the last one gets",
    )
    return claim, LOST


def race_claim(other: str, deep: bool) -> tuple[Words, Words]:
    """Return the claim that ReLU gets more right than `other` in the deepest or in the shallowest net."""
    where = Words(pt="mais profunda", en="deepest") if deep else Words(pt="mais rasa", en="shallowest")
    name = ACTIVATION_NAMES[other]
    claim = Words(
        pt=f"A rede {where.pt} acerta mais com ReLU do que com {name.pt}, cada uma com os seus pesos habituais",
        en=f"The {where.en} net gets more right with ReLU than with {name.en}, each with its customary weights",
    )
    return claim, POINTS


def rescued_race_claim(other: str, rescue: str) -> tuple[Words, Words]:
    """Return the claim that, with `rescue`, ReLU gets more right than `other` in the deepest net."""
    name, helped = ACTIVATION_NAMES[other], RESCUES[rescue]
    claim = Words(
        pt=f"Com {helped.pt}, a rede mais profunda acerta mais com ReLU do que com {name.pt}",
        en=f"With {helped.en} the deepest net gets more right with ReLU than with {name.en}",
    )
    return claim, POINTS
