"""The sentences of the lab `architectures`, in both languages."""

from hf_llm.experiments.result import Words

TITLE = Words(
    pt="Arquiteturas: MLP, LeNet, ResNet e EfficientNet com os mesmos parâmetros e no mesmo tempo",
    en="Architectures: MLP, LeNet, ResNet and EfficientNet with equal parameters and in equal time",
)
INTRODUCTION = Words(
    pt="""Dizer que uma rede é melhor do que outra só faz sentido depois de dizer o que as duas têm de igual. Aqui as
quatro famílias são comparadas de dois modos: com o mesmo número de *parâmetros*, nas mesmas imagens e pelo mesmo número
de passos; e com o mesmo *tempo* de treino nesta máquina, em que uma rede mais rápida vê mais imagens.

Depois cada ingrediente da aula é posto à prova:

- **convolução**: as imagens de teste são deslocadas pixel a pixel; quem continua acertando?
- **pooling**: os mapas reduzidos ainda acompanham o deslocamento?
- **skip connections**: a mesma ResNet treina com os atalhos e sem eles, rasa e profunda;
- **“ReLU é o padrão para CNNs e RNNs”**: lê-se o que as bibliotecas usam quando ninguém escolhe, e treinam-se uma
  LeNet-5 com quatro ativações e seis redes recorrentes que leem a imagem linha por linha.

Cada rede procura a sua taxa de aprendizado na mesma grade, na validação, com uma semente que não entra na comparação.
O teste é medido uma vez por rede treinada.""",
    en="""To say that one net is better than another makes sense only after saying what the two have in common. Here
the four families are compared in two ways: with the same number of *parameters*, on the same images and for the same
number of steps; and with the same training *time* on this machine, in which a faster net sees more images.

Then each ingredient of the lecture is put to the test:

- **convolution**: the test images are moved pixel by pixel; which nets still get them right?
- **pooling**: do the reduced maps still follow the move?
- **skip connections**: the same ResNet trains with its shortcuts and without them, shallow and deep;
- **“ReLU is the standard for CNNs and RNNs”**: one reads what the libraries use when nobody chooses, and trains a
  LeNet-5 with four activations and six recurrent nets that read the image row by row.

Each net looks for its learning rate in the same grid, on validation, with a seed that has no part in the comparison.
The test set is measured once per trained net.""",
)


def same(name: str) -> Words:
    return Words(pt=name, en=name)


FAMILIES = {
    "mlp": same("MLP"),
    "lenet": same("LeNet"),
    "resnet": same("ResNet"),
    "efficientnet": same("EfficientNet"),
    "mlp_moved": Words(pt="MLP, treino deslocado", en="MLP, moved in training"),
}
CONVOLUTIONAL_FAMILIES = ("lenet", "resnet", "efficientnet")
ACTIVATIONS = {"relu": same("ReLU"), "tanh": same("tanh"), "sigmoid": same("sigmoid"), "gelu": same("GELU")}
LENETS = {name: same(f"LeNet-5, {activation.en}") for name, activation in ACTIVATIONS.items()}
RECURRENT_NAMES = {
    "rnn_relu": Words(pt="RNN simples, ReLU", en="simple RNN, ReLU"),
    "rnn_relu_identity": Words(pt="RNN simples, ReLU, início identidade", en="simple RNN, ReLU, identity start"),
    "rnn_tanh": Words(pt="RNN simples, tanh", en="simple RNN, tanh"),
    "rnn_tanh_identity": Words(pt="RNN simples, tanh, início identidade", en="simple RNN, tanh, identity start"),
    "gru": same("GRU"),
    "lstm": same("LSTM"),
}
SHORTCUTS = {
    True: Words(pt="com skip connections", en="with skip connections"),
    False: Words(pt="sem skip connections", en="without skip connections"),
}
KINDS = {
    "convolutional": Words(pt="CNN, transformers", en="CNN, transformers"),
    "recurrent": Words(pt="RNN, torch.nn", en="RNN, torch.nn"),
}
HEADINGS = {
    "name": Words(pt="rede", en="net"),
    "parameters": Words(pt="parâmetros", en="parameters"),
    "rate": Words(pt="taxa de aprendizado", en="learning rate"),
    "accuracy": Words(pt="acurácia, validação", en="accuracy, validation"),
    "loss": Words(pt="perda, validação", en="loss, validation"),
    "picked": Words(pt="escolhida?", en="picked?"),
    "test_accuracy": Words(pt="acurácia, teste", en="accuracy, test"),
    "test_accuracy_low": Words(pt="de", en="from"),
    "test_accuracy_high": Words(pt="a", en="to"),
    "shift": Words(pt="deslocamento, pixels", en="shift, pixels"),
    "moved_accuracy": Words(pt="acurácia", en="accuracy"),
    "moved_accuracy_low": Words(pt="de", en="from"),
    "moved_accuracy_high": Words(pt="a", en="to"),
    "blocks": Words(pt="blocos residuais", en="residual blocks"),
    "shortcuts_name": Words(pt="atalhos", en="shortcuts"),
    "kind": Words(pt="família, biblioteca", en="family, library"),
    "class": Words(pt="classe", en="class"),
    "year": Words(pt="ano", en="year"),
    "activation": Words(pt="ativação se ninguém escolhe", en="activation if nobody chooses"),
    "relu": Words(pt="é ReLU?", en="is it ReLU?"),
    "training": Words(pt="treino, imagens por segundo", en="training, images a second"),
    "inference": Words(pt="inferência, imagens por segundo", en="inference, images a second"),
    "steps": Words(pt="passos", en="steps"),
    "seconds": Words(pt="segundos de treino", en="seconds of training"),
    "images": Words(pt="imagens vistas", en="images seen"),
}
CAPTIONS = {
    "families": Words(
        pt="Com os mesmos parâmetros, as mesmas imagens e os mesmos passos: acurácia no teste, média das sementes e "
        "intervalo de confiança",
        en="With equal parameters, images and steps: test accuracy, mean over the seeds and confidence interval",
    ),
    "shift": Words(
        pt="Acurácia em imagens de teste deslocadas, cada uma numa direção sorteada; média das sementes, a menor e a "
        "maior",
        en="Accuracy on test images that were moved, each in a direction drawn by lot; mean over the seeds, least and "
        "greatest",
    ),
    "depth": Words(
        pt="ResNets com e sem skip connections, nos mesmos passos: acurácia no teste",
        en="ResNets with and without skip connections, in equal steps: test accuracy",
    ),
    "defaults": Words(
        pt="O que as classes calculam quando ninguém escolhe a ativação",
        en="What the classes compute when nobody chooses the activation",
    ),
    "activations": Words(
        pt="LeNet-5 com cada ativação, nos mesmos passos: acurácia no teste",
        en="LeNet-5 with each activation, in equal steps: test accuracy",
    ),
    "recurrent": Words(
        pt="Redes recorrentes com os mesmos parâmetros, que leem a imagem linha por linha: acurácia no teste",
        en="Recurrent nets with equal parameters that read the image row by row: test accuracy",
    ),
    "rates": Words(
        pt="A escolha das taxas de aprendizado, pela acurácia na validação, com uma semente à parte",
        en="How the learning rates were picked, by accuracy on validation, with a seed of its own",
    ),
    "throughput": Words(
        pt="Quantas imagens por segundo cada rede processa, em um único thread",
        en="How many images a second each net handles, in a single thread",
    ),
    "equal_time": Words(
        pt="No mesmo tempo de treino: acurácia no teste, média das sementes e intervalo de confiança",
        en="In equal training time: test accuracy, mean over the seeds and confidence interval",
    ),
}
CHARTS = {
    "families": Words(
        pt="As quatro famílias: acurácia no teste com os mesmos parâmetros, no mesmo tempo de treino, e imagens por "
        "segundo no treino, com intervalos de confiança; o segundo e o terceiro quadro dependem da máquina",
        en="The four families: test accuracy with equal parameters, in equal training time, and images a second in "
        "training, with confidence intervals; the second and the third panel depend on the machine",
    ),
    "shift": Words(
        pt="Acurácia quando as imagens de teste se deslocam; a faixa vai da menor à maior semente",
        en="Accuracy as the test images move; bands reach from the lowest to the highest seed",
    ),
    "depth": Words(
        pt="Acurácia no teste de ResNets rasas e profundas, com e sem skip connections, com intervalos de confiança",
        en="Test accuracy of shallow and deep ResNets, with and without skip connections, with confidence intervals",
    ),
    "relu": Words(
        pt="À esquerda, uma LeNet-5 com cada ativação; à direita, redes recorrentes; acurácia no teste com intervalos "
        "de confiança",
        en="On the left, a LeNet-5 with each activation; on the right, recurrent nets; test accuracy with confidence "
        "intervals",
    ),
}
AXES = {
    "test_accuracy": Words(pt="acurácia no teste", en="test accuracy"),
    "moved_accuracy": Words(pt="acurácia", en="accuracy"),
    "shift": Words(pt="deslocamento (pixels)", en="shift (pixels)"),
    "blocks": Words(pt="blocos residuais", en="residual blocks"),
    "training": Words(pt="imagens por segundo no treino", en="images a second in training"),
}
TITLES = {
    "families": Words(pt="mesmos parâmetros e passos", en="equal parameters and steps"),
    "equal_time": Words(pt="mesmo tempo de treino", en="equal training time"),
    "throughput": Words(pt="velocidade", en="speed"),
    "activations": Words(pt="convolucional", en="convolutional"),
    "recurrent": Words(pt="recorrente, linha por linha", en="recurrent, row by row"),
}
CAVEATS = [
    Words(
        pt="As redes são versões pequenas, para imagens de um só canal: a LeNet é mais larga do que a LeNet-5, e a "
        "ResNet e a EfficientNet são muito menores do que as dos artigos. O que vale aqui pode não valer em imagens "
        "grandes.",
        en="The nets are small versions for images of a single channel: the LeNet is wider than LeNet-5, and ResNet "
        "and EfficientNet are far smaller than those of the papers. What holds here need not hold for large images.",
    ),
    Words(
        pt="O treino é curto, menos de uma passada pelas imagens nos mesmos passos: compara quem aprende depressa, não "
        "até onde cada rede chegaria.",
        en="Training is short, less than one pass over the images in equal steps: it compares how fast nets learn, not "
        "how far each would get.",
    ),
    Words(
        pt="A taxa de aprendizado vem de uma grade pequena e de uma só semente; o MLP treinado com imagens deslocadas "
        "usa a taxa do MLP, e as ResNets de outra profundidade ou sem atalhos, a da ResNet.",
        en="The learning rate comes from a small grid and a single seed; the MLP that is trained on moved images uses "
        "the MLP's, and ResNets of another depth or without shortcuts use the ResNet's.",
    ),
    Words(
        pt="Sem os atalhos, a ResNet perde também os poucos parâmetros das projeções onde os mapas encolhem.",
        en="Without its shortcuts the ResNet loses the few parameters of the projections, too, where maps shrink.",
    ),
    Words(
        pt="O que é “padrão” se lê nas classes das bibliotecas instaladas, que não são um censo do que se usa; a "
        "ReLU cortada das MobileNets conta como ReLU.",
        en="What is “standard” is read off the classes of the installed libraries, which are no census of what is "
        "used; the clipped ReLU of the MobileNets counts as ReLU.",
    ),
    Words(
        pt="As redes recorrentes leem sequências curtas; em sequências longas, a diferença entre as ativações e entre "
        "as células pode ser outra.",
        en="The recurrent nets read short sequences; on long ones the differences between activations and between "
        "cells may be others.",
    ),
    Words(
        pt="No mesmo tempo, o número de passos vem da velocidade medida nesta máquina, em um único thread: com outra "
        "máquina ou uma GPU, a ordem pode mudar.",
        en="In equal time, the number of steps comes from the speed measured on this machine, in a single thread: "
        "with another machine or a GPU the order may change.",
    ),
    Words(
        pt="Os intervalos (t de Student) falam da variação entre sementes, não da escolha das imagens de teste; e, "
        "entre tantos intervalos, um ou outro engana por acaso.",
        en="The intervals (Student's t) speak of the spread between seeds, not of the choice of test images; and among "
        "so many intervals one or the other misleads by chance.",
    ),
]
