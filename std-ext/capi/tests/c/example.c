// One example of every loss, in memory of this program. Prints bits, which the test compares with those of the Rust interface.
#include "topk_loss.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 12, LABEL = 4 };

static void check(bool fine, const char *what) {
    if (!fine) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}

#define CHECK(condition) check(condition, #condition)

// Settings that differ from those to start from wherever a loss reads them.
#define VARY(settings, float_type)                                                       \
    (settings).k = 2;                                                                    \
    (settings).seed = 7;                                                                 \
    (settings).scale = (float_type)1.5;                                                  \
    (settings).epsilon = (float_type)0.5;                                                \
    (settings).shares.data = shares;                                                     \
    (settings).shares.len = 2;                                                           \
    if ((settings).kind == TOPK_KIND_TOP_K_SVM) (settings).form = TOPK_FORM_MEAN_INSIDE; \
    if ((settings).kind == TOPK_KIND_TOP_K_CROSS_ENTROPY) (settings).law = TOPK_LAW_GUMBEL

static void print_f32(const char *name, float value, const float *grad) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    printf("f32 %s %08x", name, (unsigned)bits);
    for (size_t class = 0; class < CLASSES; class++) {
        memcpy(&bits, &grad[class], sizeof bits);
        printf(" %08x", (unsigned)bits);
    }
    printf("\n");
}

static void print_f64(const char *name, double value, const double *grad) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    printf("f64 %s %016llx", name, (unsigned long long)bits);
    for (size_t class = 0; class < CLASSES; class++) {
        memcpy(&bits, &grad[class], sizeof bits);
        printf(" %016llx", (unsigned long long)bits);
    }
    printf("\n");
}

static void losses_f32(const float *scores, const float *per_class) {
    static const float shares[2] = {0.25f, 0.75f};
    for (uint32_t kind = TOPK_KIND_CROSS_ENTROPY; kind <= TOPK_KIND_TOP_K_CROSS_ENTROPY; kind++) {
        for (uint32_t smoothing = TOPK_SMOOTHING_NONE; smoothing <= TOPK_SMOOTHING_CONDITIONAL; smoothing++) {
            if (smoothing > TOPK_SMOOTHING_NONE && kind != TOPK_KIND_TOP_K_HINGE) continue;
            TopkSettingsF32 settings = topk_f32_settings(kind);
            VARY(settings, float);
            settings.smoothing = smoothing;
            if (kind == TOPK_KIND_POLYHEDRAL_HINGE) settings.margins = (TopkListF32){per_class, CLASSES};
            if (kind == TOPK_KIND_CROSS_ENTROPY) settings.class_weights = (TopkListF32){per_class, CLASSES};
            if (kind == TOPK_KIND_FOCAL) settings.adjustments = (TopkListF32){per_class, CLASSES};
            TopkLossF32 loss;
            TopkError error;
            check(topk_f32_init(&loss, &settings, &error) == TOPK_STATUS_OK, error.message);
            check(topk_f32_fold_in(&loss, 3, &loss, &error) == TOPK_STATUS_OK, error.message);
            size_t scratch_len = topk_f32_scratch_len(&loss, CLASSES);
            // On the heap and no longer than needed: a memory checker sees what is written beyond.
            float *scratch = malloc((scratch_len + 1) * sizeof *scratch), *grad = malloc(CLASSES * sizeof *grad), value, alone;
            TopkStatus status =
                topk_f32_value_and_grad(&loss, scores, CLASSES, LABEL, &value, grad, scratch, scratch_len, &error);
            check(status == TOPK_STATUS_OK, error.message);
            status = topk_f32_value(&loss, scores, CLASSES, LABEL, &alone, scratch, scratch_len, NULL);
            check(status == TOPK_STATUS_OK && alone == value, "the value alone is the value");
            char name[32];
            snprintf(name, sizeof name, "%u-%u", (unsigned)kind, (unsigned)smoothing);
            print_f32(name, value, grad);
            free(scratch);
            free(grad);
        }
    }
}

static void losses_f64(const double *scores, const double *per_class) {
    static const double shares[2] = {0.25, 0.75};
    for (uint32_t kind = TOPK_KIND_CROSS_ENTROPY; kind <= TOPK_KIND_TOP_K_CROSS_ENTROPY; kind++) {
        for (uint32_t smoothing = TOPK_SMOOTHING_NONE; smoothing <= TOPK_SMOOTHING_CONDITIONAL; smoothing++) {
            if (smoothing > TOPK_SMOOTHING_NONE && kind != TOPK_KIND_TOP_K_HINGE) continue;
            TopkSettingsF64 settings = topk_f64_settings(kind);
            VARY(settings, double);
            settings.smoothing = smoothing;
            if (kind == TOPK_KIND_POLYHEDRAL_HINGE) settings.margins = (TopkListF64){per_class, CLASSES};
            if (kind == TOPK_KIND_CROSS_ENTROPY) settings.class_weights = (TopkListF64){per_class, CLASSES};
            if (kind == TOPK_KIND_FOCAL) settings.adjustments = (TopkListF64){per_class, CLASSES};
            TopkLossF64 loss;
            TopkError error;
            check(topk_f64_init(&loss, &settings, &error) == TOPK_STATUS_OK, error.message);
            check(topk_f64_fold_in(&loss, 3, &loss, &error) == TOPK_STATUS_OK, error.message);
            size_t scratch_len = topk_f64_scratch_len(&loss, CLASSES);
            double *scratch = malloc((scratch_len + 1) * sizeof *scratch), *grad = malloc(CLASSES * sizeof *grad), value, alone;
            TopkStatus status =
                topk_f64_value_and_grad(&loss, scores, CLASSES, LABEL, &value, grad, scratch, scratch_len, &error);
            check(status == TOPK_STATUS_OK, error.message);
            status = topk_f64_value(&loss, scores, CLASSES, LABEL, &alone, scratch, scratch_len, NULL);
            check(status == TOPK_STATUS_OK && alone == value, "the value alone is the value");
            char name[32];
            snprintf(name, sizeof name, "%u-%u", (unsigned)kind, (unsigned)smoothing);
            print_f64(name, value, grad);
            free(scratch);
            free(grad);
        }
    }
}

// What is refused, and that nothing is written then.
static void refused(const float *scores) {
    TopkError error;
    TopkLossF32 loss, blank = {0};
    float value = -1, grad[CLASSES], scratch[3 * CLASSES];
    TopkSettingsF32 settings = topk_f32_settings(TOPK_KIND_TOP_K_HINGE);

    CHECK(topk_f32_init(NULL, &settings, &error) == TOPK_STATUS_NULL && strcmp(error.message, "loss is NULL") == 0);
    CHECK(topk_f32_init(&loss, NULL, &error) == TOPK_STATUS_NULL && error.status == TOPK_STATUS_NULL);
    settings.kind = 99;
    CHECK(topk_f32_init(&loss, &settings, &error) == TOPK_STATUS_ENUM && strcmp(error.message, "TopkKind has no value 99") == 0);
    settings = topk_f32_settings(TOPK_KIND_TOP_K_HINGE);
    settings.k = 0;
    CHECK(topk_f32_init(&loss, &settings, NULL) == TOPK_STATUS_PARAMETER);
    settings.k = 2;
    settings.margins = (TopkListF32){(const float *)((const char *)scores + 1), 3};
    CHECK(topk_f32_init(&loss, &settings, NULL) == TOPK_STATUS_MISALIGNED);
    settings.margins = (TopkListF32){scores, SIZE_MAX};
    CHECK(topk_f32_init(&loss, &settings, NULL) == TOPK_STATUS_SIZE);
    settings.margins = (TopkListF32){NULL, 0};
    CHECK(topk_f32_init(&loss, &settings, &error) == TOPK_STATUS_OK && error.message[0] == 0 && error.example == SIZE_MAX);

    CHECK(topk_f32_scratch_len(&blank, CLASSES) == SIZE_MAX && topk_f32_scratch_len(NULL, CLASSES) == SIZE_MAX);
    CHECK(topk_f32_value(&blank, scores, CLASSES, LABEL, &value, scratch, 36, NULL) == TOPK_STATUS_UNINITIALIZED);
    CHECK(topk_f32_value(&loss, NULL, CLASSES, LABEL, &value, scratch, 36, NULL) == TOPK_STATUS_NULL);
    CHECK(topk_f32_value(&loss, scores, CLASSES, LABEL, NULL, scratch, 36, NULL) == TOPK_STATUS_NULL);
    CHECK(topk_f32_value(&loss, scores, CLASSES, LABEL, &value, scratch, 1, NULL) == TOPK_STATUS_LENGTH);
    CHECK(topk_f32_value(&loss, scores, CLASSES, CLASSES, &value, scratch, 36, NULL) == TOPK_STATUS_LABEL);
    CHECK(topk_f32_value(&loss, scores, 2, 0, &value, scratch, 36, NULL) == TOPK_STATUS_K);
    CHECK(topk_f32_value_and_grad(&loss, scores, CLASSES, LABEL, &value, NULL, scratch, 36, NULL) == TOPK_STATUS_NULL);
    CHECK(topk_f32_value_and_grad(&loss, grad, CLASSES, LABEL, &value, grad, scratch, 36, &error) == TOPK_STATUS_OVERLAP);
    CHECK(strcmp(error.message, "grad is written and overlaps scores") == 0);
    CHECK(topk_f32_value_and_grad(&loss, scores, CLASSES, LABEL, &grad[3], grad, scratch, 36, NULL) == TOPK_STATUS_OVERLAP);
    CHECK(value == -1);

    const size_t counts[3] = {16, 1, 0};
    double margins[3], priors[2];
    CHECK(topk_ldam_margins(counts, 3, 0.5, margins, NULL) == TOPK_STATUS_OK);
    CHECK(margins[0] == 0.25 && margins[1] == 0.5 && margins[2] == 0.5);
    CHECK(topk_ldam_margins(NULL, 3, 0.5, margins, &error) == TOPK_STATUS_NULL);
    CHECK(topk_ldam_margins(counts, 3, -1, margins, &error) == TOPK_STATUS_PARAMETER && margins[0] == 0.25);
    CHECK(topk_log_priors(counts, 2, 1, priors, NULL) == TOPK_STATUS_OK && priors[0] < 0 && priors[1] < priors[0]);
    CHECK(topk_log_priors((const size_t *)priors, 2, 1, priors, &error) == TOPK_STATUS_OVERLAP);

    float broken[CLASSES];
    memcpy(broken, scores, sizeof broken);
    memset(&broken[5], 0xff, sizeof broken[5]);
    CHECK(topk_f32_value(&loss, broken, CLASSES, LABEL, &value, scratch, 36, &error) == TOPK_STATUS_NOT_FINITE && value == -1);
    CHECK(strstr(error.message, "at position 5") != NULL);
}

int main(void) {
    float scores[CLASSES], per_class[CLASSES];
    double scores_f64[CLASSES], per_class_f64[CLASSES];
    for (int class = 0; class < CLASSES; class++) {
        scores_f64[class] = (class * 37 % 61) / 16.0 - 2;
        per_class_f64[class] = (1 + class % 3) / 2.0;
        scores[class] = (float)scores_f64[class];
        per_class[class] = (float)per_class_f64[class];
    }
    losses_f32(scores, per_class);
    losses_f64(scores_f64, per_class_f64);
    refused(scores);
    return 0;
}
