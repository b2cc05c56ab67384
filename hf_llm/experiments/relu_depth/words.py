"""The sentences of `relu-depth` but for its claims, in both languages."""

from hf_llm.experiments.result import Words

TITLE = Words(
    pt="Por que se prefere a ReLU nas camadas ocultas profundas?",
    en="Why is ReLU preferred in deep hidden layers?",
)
INTRODUCTION = Words(
    pt="""Na volta, o gradiente atravessa todas as camadas, da última à primeira, e cada uma o multiplica pela derivada
da ativação e pelos pesos. Se esse fator fica um pouco abaixo de um, o gradiente **some** (*vanishing gradient*) depois
de muitas camadas; um pouco acima, **explode**. A aula diz que a ReLU “evita o gradiente morto”. Convém separar duas
coisas que essa frase mistura:

- o **gradiente que some** é da rede: ele encolhe de camada em camada, e as primeiras quase não aprendem;
- a **unidade morta** é de um neurônio: ele não deixa passar gradiente em nenhuma imagem.

A mesma rede, uma pilha de camadas lineares com ativação, é montada rasa e cada vez mais profunda, com sigmoide, tanh,
ReLU e GELU. Os pesos iniciais são os de Xavier, feitos para conservar um sinal que passa por camadas lineares, ou os de
He, que têm o dobro da variância porque a ReLU corta metade do sinal. Olha-se o gradiente de cada camada antes do treino
e durante o treino, contam-se as unidades mortas e mede-se a acurácia no teste. Por fim, a rede mais profunda recebe o
que as redes modernas têm: *batch norm*, atalhos (*skip connections*, a entrada da camada somada à saída) e os dois
juntos.

Antes de olhar, arrisque: a ReLU conserva o gradiente com quaisquer pesos iniciais? A rede mais profunda acerta mais com
ReLU ou com tanh? E o que acontece com a ReLU quando se põe só *batch norm*, ou só atalhos? Depois comece pelos gráficos
do gradiente por camada e compare-os com o da acurácia por profundidade.""",
    en="""On its way back the gradient passes through all layers, from the last to the first, and each one multiplies it
by the activation's derivative and by the weights. If that factor is a little below one, the gradient **vanishes** after
many layers; a little above, it **explodes**. The lecture says that ReLU “avoids the dead gradient”. Two things that
this phrase mixes are better kept apart:

- the **vanishing gradient** belongs to the net: it shrinks from layer to layer, and the first ones hardly learn;
- the **dead unit** is a matter of one neuron, which lets no gradient through for any image.

The same net, a stack of linear layers with an activation, is built shallow and then deeper and deeper, with sigmoid,
tanh, ReLU and GELU. The first weights are Xavier's, made to keep a signal that passes through linear layers, or He's,
which have twice the variance because ReLU cuts off half of the signal. One looks at the gradient of each layer before
training and during it, counts the dead units and measures the test accuracy. At last the deepest net gets what modern
nets have: batch norm, shortcuts (skip connections, a layer's input added to its output), and the two together.

Before you look, take a guess: does ReLU keep the gradient whatever the first weights? Does the deepest net get more
right with ReLU or with tanh? And what becomes of ReLU when it is given batch norm alone, or shortcuts alone? Then begin
with the charts of the gradient by layer, and compare them with that of the accuracy by depth.""",
)
WEIGHTS = {"xavier": Words(pt="Xavier", en="Xavier"), "he": Words(pt="He", en="He")}
RESCUES = {
    "none": Words(pt="nada", en="nothing"),
    "batch_norm": Words(pt="batch norm", en="batch norm"),
    "shortcuts": Words(pt="atalhos", en="shortcuts"),
    "both": Words(pt="batch norm e atalhos", en="batch norm and shortcuts"),
}
OPTIMIZERS = {"sgd": Words(pt="SGD com momento", en="SGD with momentum"), "adam": Words(pt="Adam", en="Adam")}
HEADINGS = {
    "depth": Words(pt="camadas ocultas", en="hidden layers"),
    "name": Words(pt="ativação", en="activation"),
    "weights_name": Words(pt="pesos iniciais", en="first weights"),
    "rescue_name": Words(pt="com", en="with"),
    "optimizer_name": Words(pt="otimizador", en="optimizer"),
    "rate": Words(pt="taxa de aprendizado", en="learning rate"),
    "lost": Words(pt="potências de dez perdidas", en="powers of ten lost"),
    "lost_low": Words(pt="de", en="from"),
    "lost_high": Words(pt="a", en="to"),
    "lost_after": Words(pt="perdidas, no fim", en="lost, at the end"),
    "weights_lost": Words(pt="perdidas, gradiente dos pesos", en="lost, gradient of the weights"),
    "dead": Words(pt="unidades mortas", en="dead units"),
    "dead_after": Words(pt="mortas, no fim", en="dead, at the end"),
    "alike": Words(pt="semelhança entre imagens", en="likeness of images"),
    "step": Words(pt="passo", en="step"),
    "test_accuracy": Words(pt="acurácia, teste", en="accuracy, test"),
    "test_accuracy_low": Words(pt="de", en="from"),
    "test_accuracy_high": Words(pt="a", en="to"),
    "validation_accuracy": Words(pt="acurácia, validação", en="accuracy, validation"),
    "validation_loss": Words(pt="perda, validação", en="loss, validation"),
    "picked": Words(pt="escolhida", en="picked"),
}
TABLES = {
    "start": Words(
        pt="A rede mais profunda antes do treino: quantas potências de dez o gradiente perde da última à primeira "
        "camada oculta (negativo: ganha) e, no gradiente dos pesos, da última à segunda; parte das unidades mortas; "
        "cosseno médio entre o que duas imagens põem na última camada; com intervalos",
        en="The deepest net before training: how many powers of ten the gradient loses from the last hidden layer to "
        "the first (negative: gains) and, in the gradient of the weights, from the last to the second; share of dead "
        "units; mean cosine between what two images give to the last layer; with intervals",
    ),
    "training": Words(
        pt="A rede mais profunda durante o treino, cada ativação com os seus pesos habituais, média das sementes",
        en="The deepest net while it trains, each activation with its customary weights, mean over the seeds",
    ),
    "depth": Words(
        pt="As redes sem batch norm nem atalhos, por profundidade: acurácia no teste com intervalo; antes e depois do "
        "treino, potências de dez perdidas (mediana das sementes) e unidades mortas",
        en="The nets without batch norm or shortcuts, by depth: test accuracy with its interval; before and after "
        "training, powers of ten lost (median of the seeds) and dead units",
    ),
    "rescues": Words(
        pt="A rede mais profunda sem e com batch norm e atalhos: acurácia no teste com intervalo; antes e depois do "
        "treino, potências de dez perdidas (mediana das sementes) e unidades mortas",
        en="The deepest net without and with batch norm and shortcuts: test accuracy with its interval; before and "
        "after training, powers of ten lost (median of the seeds) and dead units",
    ),
    "rates": Words(
        pt="A busca das taxas de aprendizado, com uma semente que não entra na comparação",
        en="The search for learning rates, with a seed that has no part in the comparison",
    ),
}
CHARTS = {
    "start": Words(
        pt="Antes do treino, na rede mais profunda: gradiente que chega a cada camada oculta, em relação ao da última, "
        "com os pesos iniciais de Xavier e de He; a faixa vai da menor à maior semente",
        en="Before training, in the deepest net: the gradient that reaches each hidden layer, relative to the last "
        "one's, with Xavier's and with He's first weights; bands from the lowest to the highest seed",
    ),
    "depth": Words(
        pt="Acurácia no teste por número de camadas ocultas, com intervalo de confiança: cada ativação com os seus "
        "pesos habituais (à esquerda); outros pesos e outro otimizador (à direita)",
        en="Test accuracy by the number of hidden layers, with its confidence interval: each activation with its "
        "customary weights (left); other weights and another optimizer (right)",
    ),
    "training": Words(
        pt="O gradiente por camada na rede mais profunda, em relação ao da última camada, no início e durante o "
        "treino; as faixas vão da menor à maior semente, e cada painel tem a sua escala",
        en="The gradient by layer in the deepest net, relative to the last layer's, at the start and while it trains; "
        "bands from the lowest to the highest seed, and each panel has a scale of its own",
    ),
    "dead": Words(
        pt="Parte das unidades mortas antes e depois do treino: nas redes com ReLU e pesos de He, por profundidade, "
        "com intervalo de confiança (à esquerda), e em cada camada da mais profunda (à direita); a faixa vai da menor "
        "à maior semente",
        en="Share of dead units before and after training: in the nets with ReLU and He's weights, by depth with its "
        "confidence interval (left), and in each layer of the deepest one (right); bands from the lowest to the "
        "highest seed",
    ),
    "rescued_start": Words(
        pt="Antes do treino, na rede mais profunda: gradiente por camada, em relação ao da última, com batch norm, com "
        "atalhos e com os dois; cada ativação com os seus pesos habituais",
        en="Before training, in the deepest net: gradient by layer, relative to the last one's, with batch norm, with "
        "shortcuts and with both; each activation with its customary weights",
    ),
    "rescues": Words(
        pt="Acurácia da rede mais profunda no teste, com intervalo de confiança: sem nada, com batch norm, com atalhos "
        "e com os dois",
        en="Test accuracy of the deepest net, with its confidence interval: with nothing, with batch norm, with "
        "shortcuts and with both",
    ),
}
AXES = {
    "layer": Words(pt="camada oculta", en="hidden layer"),
    "gradient": Words(pt="gradiente, em relação à última", en="gradient, relative to the last"),
    "test_accuracy": Words(pt="acurácia no teste", en="test accuracy"),
    "dead": Words(pt="parte das unidades mortas", en="share of dead units"),
}
TITLES = {
    "xavier": Words(pt="pesos de Xavier", en="Xavier's weights"),
    "he": Words(pt="pesos de He", en="He's weights"),
    "customary": Words(pt="pesos habituais", en="customary weights"),
    "others": Words(pt="outros pesos, outro otimizador", en="other weights, another optimizer"),
    "start": Words(pt="antes do treino", en="before training"),
    "end": Words(pt="depois do treino", en="after training"),
    "deepest": Words(pt="por camada, na rede mais profunda", en="by layer, in the deepest net"),
    "by_depth": Words(pt="por profundidade", en="by depth"),
    **RESCUES,
}
CAVEATS = [
    Words(
        pt="As redes são MLPs estreitos e o treino é curto: “não aprende” quer dizer que não aprendeu nestes passos. "
        "Uma rede em que só falta tempo pode sair do lugar mais tarde; mais largura muda os números.",
        en="The nets are narrow MLPs and the training is short: “does not learn” means that it did not in these steps. "
        "A net that only lacks time may get going later; more width changes the figures.",
    ),
    Words(
        pt="Da grade completa ficaram de fora: o treino da sigmoide com pesos de He e da GELU com pesos de Xavier (só "
        "se olhou o início), batch norm e atalhos em redes menos profundas ou com outros pesos, e o Adam para outra "
        "ativação que não a sigmoide.",
        en="Left out of the full grid: training the sigmoid with He's weights and GELU with Xavier's (only the start "
        "was looked at), batch norm and shortcuts in less deep nets or with other weights, and Adam for any activation "
        "but the sigmoid.",
    ),
    Words(
        pt="Cada rede escolhe a taxa de aprendizado numa grade grossa, com uma só semente, e gradientes longos são "
        "encurtados (*clipping*); sem isso, as redes em que o gradiente explode dariam passos enormes.",
        en="Each net picks its learning rate from a coarse grid, with a single seed, and long gradients are shortened "
        "(clipping); without that, nets whose gradient explodes would take enormous steps.",
    ),
    Words(
        pt="“Some”, “explode” e “morta” são limiares que escolhemos, e estão nas configurações do resultado. Uma "
        "unidade conta como morta se deixa passar menos do que o limiar em todas as imagens observadas; outra imagem "
        "poderia ativá-la, e, numa rede profunda, as camadas abaixo dela também mudam.",
        en="“Vanishes”, “explodes” and “dead” are thresholds of our choice, and stand in the result's settings. A unit "
        "counts as dead if it lets less than the threshold through for every image that was looked at; another image "
        "might turn it on, and in a deep net the layers below it change as well.",
    ),
    Words(
        pt="Os atalhos são os mais simples, somados sem escala em torno de cada camada. Redes modernas normalizam o "
        "ramo ou o começam perto de zero, justamente para que a soma não cresça.",
        en="The shortcuts are the plainest, added without a scale around each layer. Modern nets normalise the branch "
        "or let it start near zero, precisely to keep the sum from growing.",
    ),
    Words(
        pt="Xavier e He não são os únicos pesos iniciais: cada ativação tem uma variância com que o sinal e o "
        "gradiente passam melhor (Hayou e outros), que não foi procurada aqui. A de He foi feita para a ReLU, não "
        "para a GELU.",
        en="Xavier's and He's are not the only first weights: each activation has a variance with which signal and "
        "gradient pass best (Hayou et al.), which was not looked for here. He's was made for ReLU, not for GELU.",
    ),
    Words(
        pt="Prefere-se a ReLU também porque custa pouco e dá zeros exatos; nada disso foi medido aqui.",
        en="ReLU is also preferred because it costs little and gives exact zeros; none of that was measured here.",
    ),
    Words(
        pt="Os intervalos (t de Student) falam da variação entre sementes, não da escolha das imagens, que são sempre "
        "as mesmas; e, entre tantas afirmações, uma ou outra engana por acaso.",
        en="The intervals (Student's t) speak of the spread between seeds, not of the choice of images, which are "
        "always the same; and among so many claims one or the other misleads by chance.",
    ),
]
