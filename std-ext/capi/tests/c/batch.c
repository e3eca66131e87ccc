// Batches of every float. Prints bits, which the test compares with those of the Rust interface.
#include "topk_loss.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 5, CLASSES = 40, STRIDE = 43 };

static const char *const JSON[] = {
    "{\"loss\": \"cross_entropy\"}",
    "{\"loss\": {\"top_k_hinge\": {\"k\": 3, \"smoothing\": {\"exact\": {\"epsilon\": 0.5}}}}}",
    "{\"loss\": {\"top_k_hinge\": {\"k\": 3, \"smoothing\": {\"pathwise\": {\"epsilon\": 0.5, \"num_samples\": 5, \"key\": [0, 7]}}}}}",
    "{\"loss\": {\"polyhedral_hinge\": {\"k\": 3}}}",
};

static void check(bool fine, const char *what) {
    if (!fine) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}

#define CHECK(condition) check(condition, #condition)

// A multiple of 1/4 between -8 and 8 in half precision, whose exponents have another bias and fewer digits.
static uint16_t to_f16(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (number == 0) return 0;
    return (uint16_t)((bits >> 16 & 0x8000) | ((bits >> 23 & 0xff) - 112) << 10 | (bits >> 13 & 0x3ff));
}

static uint16_t to_bf16(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static size_t size_of(uint32_t number) { return number == TOPK_FLOAT_F64 ? 8 : number == TOPK_FLOAT_F32 ? 4 : 2; }

static void print_bits(const void *numbers, size_t count, size_t size) {
    const unsigned char *bytes = numbers;
    for (size_t number = 0; number < count; number++) {
        printf(" ");
        for (size_t byte = size; byte-- > 0;) printf("%02x", bytes[number * size + byte]);
    }
}

// Rows with gaps between them, as large as their numbers and no larger.
static void *rows(uint32_t number, size_t stride) {
    size_t size = size_of(number), len = (EXAMPLES - 1) * stride + CLASSES;
    unsigned char *memory = calloc(len, size);
    for (size_t row = 0; row < EXAMPLES; row++) {
        for (size_t class = 0; class < CLASSES; class++) {
            double score = (double)((row * 17 + class * 37) % 61) / 4 - 7.5;
            float single = (float)score;
            uint16_t half = number == TOPK_FLOAT_F16 ? to_f16(single) : to_bf16(single);
            const void *from = number == TOPK_FLOAT_F64 ? (void *)&score : number == TOPK_FLOAT_F32 ? (void *)&single : (void *)&half;
            memcpy(memory + (row * stride + class) * size, from, size);
        }
    }
    return memory;
}

static void every_float(void) {
    const int64_t labels[EXAMPLES] = {3, 39, -100, 0, 11};
    for (size_t which = 0; which < sizeof JSON / sizeof *JSON; which++) {
        TopkError error;
        TopkBatchLoss *loss = NULL;
        check(topk_batch_loss_from_json(JSON[which], &loss, &error) == TOPK_STATUS_OK, error.message);
        for (uint32_t number = TOPK_FLOAT_F32; number <= TOPK_FLOAT_BF16; number++) {
            size_t size = size_of(number), value_size = number == TOPK_FLOAT_F64 ? 8 : 4;
            TopkBatch batch = {0};
            batch.num_examples = EXAMPLES;
            batch.num_classes = CLASSES;
            batch.scores = rows(number, STRIDE);
            batch.scores_stride = STRIDE;
            batch.scores_float = number;
            batch.labels = labels;
            batch.ignores = 1;
            batch.ignored_label = -100;
            batch.step = 9;
            batch.values = malloc(EXAMPLES * value_size);
            batch.grads = malloc(EXAMPLES * CLASSES * size);
            batch.threads = 1;
            check(topk_values(loss, &batch, &error) == TOPK_STATUS_OK, error.message);
            printf("values %zu %u", which, (unsigned)number);
            print_bits(batch.values, EXAMPLES, value_size);
            print_bits(batch.grads, (size_t)EXAMPLES * CLASSES, size);
            printf("\n");

            // On four threads, and without gradients.
            TopkBatch again = batch;
            again.values = malloc(EXAMPLES * value_size);
            again.threads = 4;
            again.grads = NULL;
            check(topk_values(loss, &again, &error) == TOPK_STATUS_OK, error.message);
            CHECK(memcmp(again.values, batch.values, EXAMPLES * value_size) == 0);
            again.grads = malloc(EXAMPLES * CLASSES * size);
            check(topk_values(loss, &again, &error) == TOPK_STATUS_OK, error.message);
            CHECK(memcmp(again.grads, batch.grads, EXAMPLES * CLASSES * size) == 0);

            double objective, alone;
            again.values = (free(again.values), NULL);
            check(topk_objective(loss, &again, TOPK_REDUCTION_MEAN, &objective, &error) == TOPK_STATUS_OK, error.message);
            printf("objective %zu %u", which, (unsigned)number);
            print_bits(&objective, 1, 8);
            print_bits(again.grads, (size_t)EXAMPLES * CLASSES, size);
            printf("\n");
            again.grads = (free(again.grads), NULL);
            check(topk_objective(loss, &again, TOPK_REDUCTION_MEAN, &alone, NULL) == TOPK_STATUS_OK && alone == objective, "alone");

            free((void *)batch.scores);
            free(batch.values);
            free(batch.grads);
        }
        topk_batch_loss_free(loss);
    }
}

// Noise of the caller's: zero noise is the hard hinge.
static void given_noise(void) {
    const int64_t labels[EXAMPLES] = {0, 1, 2, 3, 4};
    TopkSettingsF64 settings = topk_f64_settings(TOPK_KIND_TOP_K_HINGE);
    TopkBatchLoss *hard = NULL, *noised = NULL;
    CHECK(topk_batch_loss_new(&settings, &hard, NULL) == TOPK_STATUS_OK);
    settings.smoothing = TOPK_SMOOTHING_PATHWISE;
    CHECK(topk_batch_loss_new(&settings, &noised, NULL) == TOPK_STATUS_OK);
    double of_hard[EXAMPLES], of_noised[EXAMPLES], *noise = calloc(EXAMPLES * 2 * CLASSES, sizeof *noise);
    TopkBatch batch = {.num_examples = EXAMPLES, .num_classes = CLASSES, .scores_float = TOPK_FLOAT_F64, .labels = labels};
    batch.scores = rows(TOPK_FLOAT_F64, CLASSES);
    batch.values = of_hard;
    CHECK(topk_values(hard, &batch, NULL) == TOPK_STATUS_OK);
    batch.values = of_noised;
    CHECK(topk_values_of_noise(noised, &batch, noise, 2, NULL) == TOPK_STATUS_OK);
    CHECK(memcmp(of_hard, of_noised, sizeof of_hard) == 0);
    // The third largest of 1 … n in any order is n − 2, and its gradient one; zero noise changes nothing.
    TopkError error;
    double largest[4] = {2, 4, 1, 3}, value, grad[4];
    TopkBatch row = {.num_examples = 1, .num_classes = 4, .scores = largest, .scores_float = TOPK_FLOAT_F64, .values = &value, .grads = grad};
    TopkOrderStatistic statistic = {.k = 3, .smoothing = TOPK_SMOOTHING_NONE, .epsilon = 0.5, .num_samples = 2};
    CHECK(topk_order_statistics(&statistic, &row, NULL, NULL) == TOPK_STATUS_OK && value == 2 && grad[0] == 1 && grad[1] == 0);
    CHECK(topk_order_statistics(&statistic, &row, noise, NULL) == TOPK_STATUS_WRONG_LOSS);
    statistic.smoothing = TOPK_SMOOTHING_PATHWISE;
    CHECK(topk_order_statistics(&statistic, &row, noise, NULL) == TOPK_STATUS_OK && value == 2 && grad[0] == 1);
    CHECK(topk_order_statistics(&statistic, &row, NULL, NULL) == TOPK_STATUS_OK && value != 2);
    for (statistic.smoothing = TOPK_SMOOTHING_EXACT; statistic.smoothing <= TOPK_SMOOTHING_CONDITIONAL; statistic.smoothing++) {
        CHECK(topk_order_statistics(&statistic, &row, NULL, NULL) == TOPK_STATUS_OK);
        double sum = grad[0] + grad[1] + grad[2] + grad[3];
        CHECK(statistic.smoothing == TOPK_SMOOTHING_CONDITIONAL ? sum > 0 : fabs(sum - 1) < 1e-7);
    }
    CHECK(topk_order_statistics(&statistic, &row, NULL, NULL) == TOPK_STATUS_ENUM);
    statistic = (TopkOrderStatistic){.k = 5};
    CHECK(topk_order_statistics(&statistic, &row, NULL, NULL) == TOPK_STATUS_K);
    CHECK(topk_order_statistics(NULL, &row, NULL, NULL) == TOPK_STATUS_NULL);

    CHECK(topk_values_of_noise(hard, &batch, noise, 2, &error) == TOPK_STATUS_WRONG_LOSS);
    CHECK(topk_values_of_noise(noised, &batch, NULL, 2, &error) == TOPK_STATUS_NULL);
    CHECK(topk_values_of_noise(noised, &batch, noise, SIZE_MAX, &error) == TOPK_STATUS_SIZE);
    CHECK(topk_values_of_noise(noised, &batch, of_noised, 0, &error) == TOPK_STATUS_LENGTH);
    noise[CLASSES] = NAN;
    CHECK(topk_values_of_noise(noised, &batch, noise, 2, &error) == TOPK_STATUS_NOT_FINITE && error.example == 0);
    free(noise);
    free((void *)batch.scores);
    topk_batch_loss_free(hard);
    topk_batch_loss_free(noised);
}

static void refused(void) {
    TopkError error;
    TopkBatchLoss *loss = NULL;
    CHECK(topk_batch_loss_from_json(NULL, &loss, &error) == TOPK_STATUS_NULL);
    CHECK(topk_batch_loss_from_json("{", &loss, &error) == TOPK_STATUS_JSON && strstr(error.message, "line 1") != NULL);
    CHECK(topk_batch_loss_from_json("\xff", &loss, &error) == TOPK_STATUS_JSON);
    CHECK(topk_batch_loss_from_json("{\"loss\": {\"top_k_hinge\": {\"k\": 0}}}", &loss, &error) == TOPK_STATUS_PARAMETER);
    CHECK(topk_batch_loss_from_json(JSON[0], NULL, &error) == TOPK_STATUS_NULL && loss == NULL);
    topk_batch_loss_free(NULL);
    CHECK(topk_batch_loss_from_json(JSON[3], &loss, &error) == TOPK_STATUS_OK);

    float scores[2 * 4] = {1, 2, 3, 4, 5, 6, 7, 8}, values[2], grads[2 * 4];
    const int64_t labels[2] = {1, 2};
    TopkBatch right = {.num_examples = 2, .num_classes = 4, .scores = scores, .labels = labels, .values = values, .grads = grads};
    TopkBatch batch = right;
    CHECK(topk_values(NULL, &batch, NULL) == TOPK_STATUS_NULL && topk_values(loss, NULL, NULL) == TOPK_STATUS_NULL);
    CHECK(topk_values(loss, &batch, NULL) == TOPK_STATUS_OK);
    batch.scores_float = 7;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_ENUM && strcmp(error.message, "TopkFloat has no value 7") == 0);
    batch = right;
    batch.scores = NULL;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_NULL && strcmp(error.message, "scores is NULL") == 0);
    batch = right;
    batch.labels = NULL;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_NULL);
    batch = right;
    batch.values = NULL;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_NULL);
    batch = right;
    batch.scores = (char *)scores + 2;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_MISALIGNED);
    batch = right;
    batch.num_examples = 0;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_EMPTY);
    batch = right;
    batch.num_examples = SIZE_MAX;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_SIZE);
    batch = right;
    batch.grads_stride = 3;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_BATCH_PARAMETER);
    batch = right;
    batch.grads = scores + 7;
    batch.grads_stride = 0;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_OVERLAP);
    batch = right;
    batch.values = grads + 2;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_OVERLAP);
    double objective;
    CHECK(topk_objective(loss, &right, 5, &objective, &error) == TOPK_STATUS_ENUM);
    CHECK(topk_objective(loss, &right, TOPK_REDUCTION_SUM, NULL, &error) == TOPK_STATUS_NULL);

    float coefficients[2], weights[2] = {3, 1};
    CHECK(topk_coefficients(loss, &right, TOPK_REDUCTION_MEAN, coefficients, NULL) == TOPK_STATUS_OK);
    CHECK(coefficients[0] == 0.5f && coefficients[1] == 0.5f);
    batch = right;
    batch.weights = weights;
    CHECK(topk_coefficients(loss, &batch, TOPK_REDUCTION_WEIGHTED_MEAN, coefficients, NULL) == TOPK_STATUS_OK);
    CHECK(coefficients[0] == 0.75f && coefficients[1] == 0.25f);
    CHECK(topk_coefficients(loss, &batch, TOPK_REDUCTION_SUM, weights, NULL) == TOPK_STATUS_OVERLAP);
    CHECK(topk_coefficients(loss, &batch, TOPK_REDUCTION_SUM, NULL, NULL) == TOPK_STATUS_NULL);
    weights[0] = weights[1] = 0;
    CHECK(topk_coefficients(loss, &batch, TOPK_REDUCTION_WEIGHTED_MEAN, coefficients, NULL) == TOPK_STATUS_BATCH_PARAMETER);

    const int64_t wrong[2] = {1, -4};
    batch = right;
    batch.labels = wrong;
    CHECK(topk_values(loss, &batch, &error) == TOPK_STATUS_PARAMETER && error.example == 1);
    scores[6] = INFINITY;
    CHECK(topk_values(loss, &right, &error) == TOPK_STATUS_NOT_FINITE && error.example == 1);
    CHECK(strncmp(error.message, "example 1: scores is NaN or infinite at position 2", 50) == 0);
    topk_batch_loss_free(loss);
}

int main(void) {
    every_float();
    given_noise();
    refused();
    return 0;
}
