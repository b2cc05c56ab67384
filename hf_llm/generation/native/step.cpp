// One token through GPT-2 (Radford et al. 2019) in a single call, with a key-value cache.
//
// The arithmetic is that of transformers' GPT2LMHeadModel. What is saved is all that stands between one product and
// the next: at batch 1 a step reads each weight once, and a model of 1 M parameters would spend nine tenths of it in
// Python and in the dispatch of some two hundred small operations.
//
// A weight is an fp32 number, a bf16 number, or an int8 number with one fp32 scale for each output; activations and
// sums are fp32 always.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>
#ifdef __AVX512F__
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_thread_num() { return 0; }
static int omp_get_num_threads() { return 1; }
#endif

enum Kind : int32_t { FP32 = 0, BF16 = 1, INT8 = 2 };

struct Matrix {
    const void* weights;  // (outputs, inputs), row by row
    const float* scales;  // (outputs,) of int8, else null
    const float* bias;    // (outputs,) or null
    int32_t inputs, outputs;
};

struct Norm {
    const float *gain, *shift;  // (width,)
};

struct Block {
    Norm attention_norm;
    Matrix query_key_value, attention_output;
    Norm mlp_norm;
    Matrix up, down;
};

struct Model {
    int32_t kind, layers, heads, width, context, vocab;
    float epsilon;
    const float *token_embedding, *position_embedding;  // (vocab, width), (context, width)
    const Block* blocks;                                 // (layers,)
    Norm final_norm;
    Matrix head;
};

struct Slice {
    int first, last;
};

// The part of `size` outputs that is this thread's, in sixteens: two threads seldom write to one cache line.
static Slice own_slice(int size) {
    const int lines = (size + 15) / 16, thread = omp_get_thread_num(), threads = omp_get_num_threads();
    return {std::min(size, lines * thread / threads * 16), std::min(size, lines * (thread + 1) / threads * 16)};
}

static const int AHEAD = 2048;  // bytes; a step reads nearly all of its weights from memory, each once

// Sixteen numbers at once: vectors of GCC and Clang, which they lower to what the processor has.
typedef float Floats __attribute__((vector_size(64)));
typedef uint32_t Words __attribute__((vector_size(64)));
typedef int32_t Integers __attribute__((vector_size(64)));
typedef int16_t Shorts __attribute__((vector_size(32)));
typedef uint16_t Halves __attribute__((vector_size(32)));
typedef int8_t Bytes __attribute__((vector_size(16)));

template <typename Vector>
static inline Vector load(const void* from) {
    Vector vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
}

static inline Floats widen(const float* weights) { return load<Floats>(weights); }
#ifdef __AVX512F__  // what GCC 12 makes of the lines below is two and six times slower
static inline Floats widen(const int8_t* weights) {
    return (Floats)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load<__m128i>(weights)));
}
static inline Floats widen(const uint16_t* weights) {
    return (Floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32(load<__m256i>(weights)), 16);
}
#else
static inline Floats widen(const int8_t* weights) {
    const Shorts shorts = __builtin_convertvector(load<Bytes>(weights), Shorts);
    return __builtin_convertvector(__builtin_convertvector(shorts, Integers), Floats);
}
static inline Floats widen(const uint16_t* weights) {  // bf16 is the upper half of an fp32 number
    return (Floats)(__builtin_convertvector(load<Halves>(weights), Words) << 16);
}
#endif

static inline float widen(float weight) { return weight; }
static inline float widen(int8_t weight) { return weight; }
static inline float widen(uint16_t weight) {
    const uint32_t bits = uint32_t(weight) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// The product of a row of weights and a vector, in four sums: no addition waits for the one before it.
template <typename Weight>
static float dot(const Weight* row, const float* vector, int size) {
    Floats sums[4] = {};
    int i = 0;
    for (; i + 64 <= size; i += 64) {
        for (int line = 0; line < int(sizeof(Weight)); line++)  // of the rows to come
            __builtin_prefetch(reinterpret_cast<const char*>(row + i) + AHEAD + 64 * line);
        for (int k = 0; k < 4; k++) sums[k] += widen(row + i + 16 * k) * load<Floats>(vector + i + 16 * k);
    }
    for (; i + 16 <= size; i += 16) sums[0] += widen(row + i) * load<Floats>(vector + i);
    const Floats sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    float total = 0.0f;
#pragma omp simd reduction(+ : total)
    for (int k = 0; k < 16; k++) total += sum[k];
    for (; i < size; i++) total += widen(row[i]) * vector[i];
    return total;
}

// to = (add ? to : 0) + bias + weights · from, for this thread's slice of the outputs.
template <typename Weight>
static void multiply(const Matrix& matrix, const float* from, float* to, bool add) {
    const Slice slice = own_slice(matrix.outputs);
    const Weight* row = static_cast<const Weight*>(matrix.weights) + int64_t(slice.first) * matrix.inputs;
    for (int output = slice.first; output < slice.last; output++, row += matrix.inputs) {
        float sum = dot(row, from, matrix.inputs);
        if (matrix.scales) sum *= matrix.scales[output];
        if (matrix.bias) sum += matrix.bias[output];
        to[output] = add ? to[output] + sum : sum;
    }
}

static void normalise(const Norm& norm, float epsilon, const float* from, float* to, int width) {
    float sum = 0.0f, squares = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < width; i++) sum += from[i];
    const float mean = sum / width;
#pragma omp simd reduction(+ : squares)
    for (int i = 0; i < width; i++) squares += (from[i] - mean) * (from[i] - mean);
    const float scale = 1.0f / std::sqrt(squares / width + epsilon);
#pragma omp simd
    for (int i = 0; i < width; i++) to[i] = (from[i] - mean) * scale * norm.gain[i] + norm.shift[i];
}

// One head: the new key and value go into the cache, then mixed = softmax(query · keys / √size) · values.
static void attend(const float* query, const float* key, const float* value, float* keys, float* values, int position,
                   int size, float* weights, float* mixed) {
    std::copy(key, key + size, keys + int64_t(position) * size);
    std::copy(value, value + size, values + int64_t(position) * size);
    const float scale = 1.0f / std::sqrt(float(size));
    float highest = -INFINITY, total = 0.0f;
    for (int t = 0; t <= position; t++) {
        weights[t] = dot(keys + int64_t(t) * size, query, size) * scale;
        highest = std::max(highest, weights[t]);
    }
#pragma omp simd reduction(+ : total)
    for (int t = 0; t <= position; t++) {
        weights[t] = std::exp(weights[t] - highest);
        total += weights[t];
    }
    std::fill(mixed, mixed + size, 0.0f);
    for (int t = 0; t <= position; t++) {
        const float weight = weights[t] / total;
        const float* row = values + int64_t(t) * size;
#pragma omp simd
        for (int i = 0; i < size; i++) mixed[i] += weight * row[i];
    }
}

// GPT-2's GELU, x/2 · (1 + tanh z) with z = √(2/π)(x + 0.044715 x³), written as x / (1 + e^-2z).
static void gelu(float* values, int size) {
#pragma omp simd
    for (int i = 0; i < size; i++) {
        const float x = values[i], z = 0.7978845608f * (x + 0.044715f * x * x * x);
        values[i] = x / (1.0f + std::exp(-2.0f * z));
    }
}

template <typename Weight>
static void step(const Model& model, float* cache, int token, int position, float* logits, int threads) {
    const int width = model.width, size = width / model.heads, inner = model.blocks[0].up.outputs;
    const int64_t plane = int64_t(model.context) * size;  // one head's keys, or its values
    std::vector<float> stream(width), query_key_value(3 * width), mixed(width), hidden(inner);
    for (int i = 0; i < width; i++)
        stream[i] = model.token_embedding[int64_t(token) * width + i] +
                    model.position_embedding[int64_t(position) * width + i];

#pragma omp parallel num_threads(threads)
    {
        // each thread normalises for itself: that is cheaper than waiting for one that does
        std::vector<float> normal(width), weights(position + 1);
        for (int layer = 0; layer < model.layers; layer++) {
            const Block& block = model.blocks[layer];
            float* keys = cache + int64_t(layer) * 2 * model.heads * plane;  // (heads, context, size), then the values
            float* values = keys + model.heads * plane;

            normalise(block.attention_norm, model.epsilon, stream.data(), normal.data(), width);
            multiply<Weight>(block.query_key_value, normal.data(), query_key_value.data(), false);
#pragma omp barrier
            for (int head = omp_get_thread_num(); head < model.heads; head += omp_get_num_threads()) {
                const float* query = query_key_value.data() + head * size;
                attend(query, query + width, query + 2 * width, keys + head * plane, values + head * plane, position,
                       size, weights.data(), mixed.data() + head * size);
            }
#pragma omp barrier
            multiply<Weight>(block.attention_output, mixed.data(), stream.data(), true);
#pragma omp barrier
            normalise(block.mlp_norm, model.epsilon, stream.data(), normal.data(), width);
            multiply<Weight>(block.up, normal.data(), hidden.data(), false);
            const Slice slice = own_slice(inner);
            gelu(hidden.data() + slice.first, slice.last - slice.first);
#pragma omp barrier
            multiply<Weight>(block.down, hidden.data(), stream.data(), true);
#pragma omp barrier
        }
        normalise(model.final_norm, model.epsilon, stream.data(), normal.data(), width);
        multiply<Weight>(model.head, normal.data(), logits, false);
    }
}

// Read `token` at `position` behind what the cache holds, and write the next token's logits, (vocab,).
// The cache is (layers, 2, heads, context, width / heads): keys, then values.
extern "C" void gpt2_step(const Model* model, float* cache, int32_t token, int32_t position, float* logits,
                          int32_t threads) {
    switch (model->kind) {
        case FP32: return step<float>(*model, cache, token, position, logits, threads);
        case BF16: return step<uint16_t>(*model, cache, token, position, logits, threads);
        case INT8: return step<int8_t>(*model, cache, token, position, logits, threads);
    }
}
