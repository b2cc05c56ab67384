"""The sentences of the lab `backprop`, in both languages."""

from hf_llm.experiments.result import Words

TITLE = Words(pt="Retropropagação à mão", en="Backpropagation by hand")
INTRODUCTION = Words(
    pt="""Um neurônio soma as entradas com pesos, junta um viés e aplica uma ativação: *z = w·x + b*, *a = f(z)*. A
perda *L* diz quanto *a* erra o alvo *y*. Treinar é perguntar, para cada peso, em que direção ele deve mudar para que
*L* diminua, e a regra da cadeia responde de trás para a frente: **o gradiente de uma quantidade é a sua derivada local
vezes o gradiente da quantidade seguinte**. A derivada local só precisa do que a passagem direta já calculou.

As duas passagens estão aqui à mão (`experiments/backprop/by_hand.py`), sem autograd: primeiro um neurônio, linha
por linha, com números que se podem acompanhar a lápis; depois uma rede de duas camadas, linear, ativação, linear,
softmax com entropia cruzada. O resultado é conferido de dois modos independentes: com o autograd do PyTorch, e com
diferenças finitas, que mexem um pouco em cada peso e olham a perda, sem usar derivada nenhuma.

Depois as duas versões da rede treinam a partir dos mesmos pesos para separar duas meias-luas entrelaçadas. Olhe se as
curvas coincidem, quanto do gradiente chega à entrada com cada ativação, e o que sobra de uma rede “profunda” quando se
tira a ativação.""",
    en="""A neuron adds up its inputs with weights, adds a bias and applies an activation: *z = w·x + b*, *a = f(z)*.
The loss *L* says how far *a* is from the target *y*. To train is to ask of each weight in which direction it should
move so that *L* goes down, and the chain rule answers from the end to the beginning: **the gradient of a quantity is
its local derivative times the gradient of the quantity that comes next**. The local derivative needs only what the
forward pass has already computed.

Here both passes are written by hand (`experiments/backprop/by_hand.py`), without autograd: first one neuron, line by
line, with numbers that can be followed with a pencil; then a net of two layers, linear, activation, linear, softmax
with cross-entropy. The result is checked in two independent ways: against PyTorch's autograd, and against finite
differences, which nudge each weight and look at the loss without using any derivative.

Then both versions of the net train from the same weights to tell two interleaving half moons apart. Look whether the
curves coincide, how much of the gradient reaches the input with each activation, and what is left of a “deep” net when
its activation is taken away.""",
)
ACTIVATION_NAMES = {
    "relu": Words(pt="ReLU", en="ReLU"),
    "tanh": Words(pt="tanh", en="tanh"),
    "sigmoid": Words(pt="sigmoide", en="sigmoid"),
    "gelu": Words(pt="GELU", en="GELU"),
    "gelu_tanh": Words(pt="GELU por tanh", en="GELU by tanh"),
    "identity": Words(pt="nenhuma", en="none"),
}
PLACE_NAMES = {
    "logits": Words(pt="logits", en="logits"),
    "a": Words(pt="saídas ocultas a", en="hidden outputs a"),
    "z": Words(pt="somas ocultas z", en="hidden sums z"),
    "x": Words(pt="entrada x", en="input x"),
}
_NEURON_HEADINGS = {
    "name": Words(pt="quantidade", en="quantity"),
    "formula": Words(pt="fórmula", en="formula"),
    "value": Words(pt="valor", en="value"),
    "local_derivative": Words(pt="derivada local", en="local derivative"),
    "gradient": Words(pt="gradiente ∂L/∂·", en="gradient ∂L/∂·"),
    "autograd": Words(pt="o autograd diz", en="autograd says"),
}
_CELL = {"name": Words(pt="ativação", en="activation"), "seed": Words(pt="semente", en="seed")}
TABLES = {
    "sigmoid_squared": (
        Words(pt="Um neurônio: sigmoide, erro quadrático", en="One neuron: sigmoid, squared error"),
        _NEURON_HEADINGS,
    ),
    "sigmoid_cross_entropy": (
        Words(pt="O mesmo neurônio com entropia cruzada", en="The same neuron with cross-entropy"),
        _NEURON_HEADINGS,
    ),
    "relu_squared": (
        Words(pt="O mesmo neurônio com ReLU e erro quadrático", en="The same neuron with ReLU and squared error"),
        _NEURON_HEADINGS,
    ),
    "gradients": (
        Words(
            pt="A rede de duas camadas antes do treino: diferenças relativas entre os gradientes à mão e os do "
            "autograd, por parâmetro, e os das diferenças finitas",
            en="The two-layer net before training: relative differences between the gradients by hand and those of "
            "autograd, by parameter, and of finite differences",
        ),
        {
            **_CELL,
            "hidden.weight": Words(pt="pesos ocultos", en="hidden weights"),
            "hidden.bias": Words(pt="vieses ocultos", en="hidden biases"),
            "output.weight": Words(pt="pesos da saída", en="output weights"),
            "output.bias": Words(pt="vieses da saída", en="output biases"),
            "finite_differences": Words(pt="diferenças finitas", en="finite differences"),
            "crossings": Words(pt="somas que elas fazem cruzar o zero", en="sums that these make cross zero"),
            "one_layer": Words(pt="logits contra os de uma só camada", en="logits against those of a single layer"),
        },
    ),
    "flow": (
        Words(
            pt="Tamanho (norma) do gradiente no caminho de volta, antes do treino, e a parte que passa pela ativação",
            en="Size (norm) of the gradient on its way back, before training, and the part that gets through the "
            "activation",
        ),
        {**_CELL, **PLACE_NAMES, "passed": Words(pt="norma em z ÷ norma em a", en="norm at z ÷ norm at a")},
    ),
    "training": (
        Words(
            pt="O treino à mão: perda antes do primeiro e do último passo, acurácia em pontos novos, e a maior "
            "diferença relativa em relação à curva de torch.optim.SGD",
            en="Training by hand: loss before the first and the last step, accuracy on new points, and the largest "
            "relative difference to the curve of torch.optim.SGD",
        ),
        {
            **_CELL,
            "first_loss": Words(pt="primeira perda", en="first loss"),
            "last_loss": Words(pt="última perda", en="last loss"),
            "accuracy": Words(pt="acurácia", en="accuracy"),
            "curves": Words(pt="diferença", en="difference"),
        },
    ),
}
CAPTIONS = {
    "neuron": Words(
        pt="O neurônio da primeira tabela: na ida (azul, em cima) calculam-se os valores; na volta (laranja, embaixo), "
        "os gradientes, cada um a partir do que está à sua direita",
        en="The neuron of the first table: on the way forward (blue, above) the values are computed; on the way back "
        "(orange, below) the gradients, each from the one to its right",
    ),
    "loss": Words(
        pt="Perda de treino com os gradientes à mão (linhas; a faixa vai da menor à maior semente) e com autograd e "
        "torch.optim.SGD (círculos)",
        en="Training loss with the gradients by hand (lines; the band reaches from the lowest to the highest seed) and "
        "with autograd and torch.optim.SGD (circles)",
    ),
    "flow": Words(
        pt="O caminho de volta, da saída para a entrada: norma do gradiente em cada lugar, antes do treino",
        en="The way back, from the output to the input: norm of the gradient at each place, before training",
    ),
}
CLAIMS = {
    "neuron": (
        Words(
            pt="Os gradientes do neurônio, escritos à mão pela regra da cadeia, são os do autograd",
            en="The neuron's gradients, written by hand from the chain rule, are autograd's",
        ),
        Words(pt="maior diferença nas três tabelas do neurônio", en="largest difference in the neuron's three tables"),
    ),
    "autograd": (
        Words(
            pt="Os gradientes da rede de duas camadas, escritos à mão, são os do autograd, a menos de arredondamento",
            en="The two-layer net's gradients, written by hand, are autograd's up to rounding",
        ),
        Words(
            pt="maior diferença relativa entre todos os parâmetros, ativações e sementes",
            en="largest relative difference over all parameters, activations and seeds",
        ),
    ),
    "smooth": (
        Words(
            pt="Mexer um pouco em cada peso e medir a perda, sem derivada nenhuma, leva aos mesmos gradientes "
            "(sigmoide e tanh)",
            en="Nudging each weight and measuring the loss, without any derivative, leads to the same gradients "
            "(sigmoid and tanh)",
        ),
        Words(
            pt="maior diferença relativa entre os parâmetros e as sementes",
            en="largest relative difference over parameters and seeds",
        ),
    ),
    "kinked": (
        Words(
            pt="O mesmo vale com a ReLU, que tem uma quina no zero",
            en="The same holds with ReLU, which has a kink at zero",
        ),
        Words(
            pt="maior diferença relativa entre os parâmetros e as sementes; só as somas que cruzam o zero a estragam, "
            "e uma basta",
            en="largest relative difference over parameters and seeds; only sums that cross zero spoil it, and one "
            "is enough",
        ),
    ),
    "curves": (
        Words(
            pt="Treinada à mão, a rede percorre a mesma curva de perda que com autograd e o SGD do PyTorch",
            en="Trained by hand, the net goes along the same loss curve as with autograd and PyTorch's SGD",
        ),
        Words(
            pt="maior diferença relativa entre todos os passos, ativações e sementes",
            en="largest relative difference over all steps, activations and seeds",
        ),
    ),
    "falls": (
        Words(
            pt="Ajustar os pesos contra o gradiente faz a perda cair",
            en="Adjusting the weights against the gradient makes the loss fall",
        ),
        Words(pt="primeira perda menos última, com ReLU", en="first loss minus last, with ReLU"),
    ),
    "one_layer": (
        Words(
            pt="Sem ativação entre elas, duas camadas lineares são uma só",
            en="Without an activation between them, two linear layers are only one",
        ),
        Words(
            pt="maior diferença relativa entre os logits e os de uma camada com o produto das matrizes",
            en="largest relative difference between the logits and those of one layer with the product of the matrices",
        ),
    ),
    "hidden_layer": (
        Words(
            pt="Com a ativação, a mesma rede separa melhor o que uma reta não separa",
            en="With the activation, the same net tells better apart what a straight line cannot",
        ),
        Words(
            pt="acurácia em pontos novos, ReLU menos sem ativação, em pontos percentuais, pareada pela semente",
            en="accuracy on new points, ReLU minus no activation, in percentage points, paired by the seed",
        ),
    ),
    "sigmoid_passes": (
        Words(
            pt="De volta pela sigmoide, o gradiente perde mais de três quartos do tamanho",
            en="On its way back through the sigmoid, the gradient loses more than three quarters of its size",
        ),
        Words(pt="parte da norma que passa, antes do treino", en="part of the norm that gets through, before training"),
    ),
    "relu_passes": (
        Words(
            pt="A ReLU deixa passar o gradiente inteiro",
            en="ReLU lets the whole gradient through",
        ),
        Words(
            pt="parte da norma que passa, antes do treino; as unidades com soma negativa barram a sua",
            en="part of the norm that gets through, before training; units with a negative sum block theirs",
        ),
    ),
}
CAVEATS = [
    Words(
        pt="A igualdade é de precisão dupla: com menos dígitos, a ordem em que se soma aparece mais cedo.",
        en="The equality is that of double precision: with fewer digits the order of summation shows sooner.",
    ),
    Words(
        pt="A taxa de aprendizado é a mesma para todas as ativações e não foi ajustada a nenhuma: as curvas mostram "
        "que as duas contas coincidem, não qual ativação é melhor.",
        en="The learning rate is the same for all activations and was tuned for none: the curves show that the two "
        "computations coincide, not which activation is better.",
    ),
    Words(
        pt="Com uma camada oculta só, o que se perde numa ativação perde-se uma vez; quantas vezes isso se repete numa "
        "rede profunda é outro experimento.",
        en="With a single hidden layer, what an activation takes away is taken away once; how that adds up in a deep "
        "net is another experiment.",
    ),
]
