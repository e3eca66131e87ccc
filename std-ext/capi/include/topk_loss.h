/* The losses of topk-loss from C. Made by cbindgen from the Rust sources: `cargo test --test header`.
 *
 * topk_f32_* and topk_f64_*: one example, in the caller's memory, with or without `std`.
 * topk_batch_loss_*, topk_values*, topk_objective: batches, of a library with `std`.
 * topk_cuda_*: batches in the memory of a CUDA device, of a library with `cuda`, if TOPK_LOSS_CUDA is defined.
 *
 * Every pointer is NULL, which is an error unless said otherwise, or leads to as many values as its length says; what is written is used by
 * nobody else meanwhile, and may not overlap anything else. `error` may always be NULL.
 */

#ifndef TOPK_LOSS_H
#define TOPK_LOSS_H

#include <stddef.h>
#include <stdint.h>

// What a call returns: 0, or the kind of fault. Numbers stay what they are when kinds are added.
enum TopkStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // No fault.
  TOPK_STATUS_OK = 0,
  // A list has the wrong length, the scratch is too short.
  TOPK_STATUS_LENGTH = 1,
  // K, or a rank, is too large.
  TOPK_STATUS_K = 2,
  // A label is no class.
  TOPK_STATUS_LABEL = 3,
  // A parameter is outside its domain.
  TOPK_STATUS_PARAMETER = 4,
  // An input is NaN or infinite.
  TOPK_STATUS_NOT_FINITE = 5,
  // The tolerance is not reached in this float.
  TOPK_STATUS_ACCURACY = 6,
  // A result is beyond the float's range.
  TOPK_STATUS_OVERFLOW = 7,
  // A matrix has the wrong shape.
  TOPK_STATUS_SHAPE = 101,
  // A list of a batch has the wrong length.
  TOPK_STATUS_BATCH_LENGTH = 102,
  // There is no example, or no class.
  TOPK_STATUS_EMPTY = 103,
  // A parameter of a batch is outside its domain.
  TOPK_STATUS_BATCH_PARAMETER = 105,
  // A sum over a batch is beyond the float's range.
  TOPK_STATUS_BATCH_OVERFLOW = 106,
  // There are as many labels as classes: the scores may be transposed.
  TOPK_STATUS_TRANSPOSED = 107,
  // A pointer is NULL.
  TOPK_STATUS_NULL = 201,
  // A pointer is not aligned to what it points to.
  TOPK_STATUS_MISALIGNED = 202,
  // What is written overlaps something else.
  TOPK_STATUS_OVERLAP = 203,
  // A size is beyond the address space.
  TOPK_STATUS_SIZE = 204,
  // An enum has no such value.
  TOPK_STATUS_ENUM = 205,
  // A loss was not initialised.
  TOPK_STATUS_UNINITIALIZED = 206,
  // JSON is not that of a loss.
  TOPK_STATUS_JSON = 207,
  // The loss is of another kind than the call is for.
  TOPK_STATUS_WRONG_LOSS = 208,
  // The library was built without this loss.
  TOPK_STATUS_LEFT_OUT = 209,
  // The library failed: a defect of it.
  TOPK_STATUS_INTERNAL = 299,
  // There is no CUDA device that can be used: no driver, no such device, either too old.
  TOPK_STATUS_NO_DEVICE = 301,
  // The memory of the CUDA device is full.
  TOPK_STATUS_DEVICE_MEMORY = 302,
  // The driver of the CUDA device refused a call.
  TOPK_STATUS_DRIVER = 303,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkStatus TopkStatus;
#else
typedef int32_t TopkStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The losses. Each says which fields of its settings it reads beside `kind`, `adjustments` and `class_weights`; it ignores the others.
enum TopkKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The cross-entropy: no field.
  TOPK_KIND_CROSS_ENTROPY = 0,
  // The focal loss: `gamma`.
  TOPK_KIND_FOCAL = 1,
  // LDAM: `margin` or `margins`, `scale`.
  TOPK_KIND_LDAM = 2,
  // The calibrated top-K hinge: `k`, `margin` or `margins`, `scale`, `smoothing` with `epsilon`, `num_samples` and `seed`, `tolerance`.
  TOPK_KIND_TOP_K_HINGE = 3,
  // The hinges of several K at once: `shares`, `margin` or `margins`, `scale`; `epsilon` if `smoothing` is exact.
  TOPK_KIND_TOP_K_HINGES = 4,
  // The top-K hinges over the other classes: `k`, `form`, `margin` or `margins`, `scale`.
  TOPK_KIND_TOP_K_SVM = 5,
  // The smooth top-K SVM: `k`, `temperature`, `margin`.
  TOPK_KIND_SMOOTH_TOP_K_SVM = 6,
  // The polyhedral top-K hinge: `k`, `margin` or `margins`, `scale`.
  TOPK_KIND_POLYHEDRAL_HINGE = 7,
  // The cross-entropy with a top-K margin: `k`, `margin` or `margins`, `scale`.
  TOPK_KIND_TOP_K_MARGIN_CROSS_ENTROPY = 8,
  // The top-K cross-entropy: `k` or `shares`, `law`, `epsilon`.
  TOPK_KIND_TOP_K_CROSS_ENTROPY = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkKind TopkKind;
#else
typedef uint32_t TopkKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How the (K+1)-th largest score is smoothed.
enum TopkSmoothing
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Not at all.
  TOPK_SMOOTHING_NONE = 0,
  // Exactly, with no random number.
  TOPK_SMOOTHING_EXACT = 1,
  // By draws: the paper's estimator.
  TOPK_SMOOTHING_PATHWISE = 2,
  // By draws, with the variance of each class's own noise taken out.
  TOPK_SMOOTHING_CONDITIONAL = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkSmoothing TopkSmoothing;
#else
typedef uint32_t TopkSmoothing;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The law of a top-K cross-entropy's noise.
enum TopkLaw
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Standard normal.
  TOPK_LAW_NORMAL = 0,
  // Gumbel.
  TOPK_LAW_GUMBEL = 1,
  // Logistic.
  TOPK_LAW_LOGISTIC = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkLaw TopkLaw;
#else
typedef uint32_t TopkLaw;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Which of the top-K hinges over the other classes.
enum TopkForm
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The hinge of the K-th largest other.
  TOPK_FORM_KTH_OTHER = 0,
  // The hinge of the mean of the K largest others.
  TOPK_FORM_MEAN_INSIDE = 1,
  // The hinge of the mean of the K largest, the label competing: the top-K hinge α of Lapin et al.
  TOPK_FORM_MEAN_WITH_LABEL = 2,
  // The mean of the hinges of the K largest others: the top-K hinge β of Lapin et al.
  TOPK_FORM_MEAN_OUTSIDE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkForm TopkForm;
#else
typedef uint32_t TopkForm;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The floats of scores and gradients.
enum TopkFloat
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // `float`.
  TOPK_FLOAT_F32 = 0,
  // `double`.
  TOPK_FLOAT_F64 = 1,
  // IEEE half precision, computed as `float`, a row at a time.
  TOPK_FLOAT_F16 = 2,
  // The upper half of a `float`, computed as such.
  TOPK_FLOAT_BF16 = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkFloat TopkFloat;
#else
typedef uint32_t TopkFloat;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How the losses of a batch become one number; w are the weights, 1 where none are given.
enum TopkReduction
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Σ w·ℓ.
  TOPK_REDUCTION_SUM = 0,
  // Σ w·ℓ divided by the number of examples that count.
  TOPK_REDUCTION_MEAN = 1,
  // Σ w·ℓ / Σ w, where the weights of a class-weighted loss count as well: torch's mean.
  TOPK_REDUCTION_WEIGHTED_MEAN = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum TopkReduction TopkReduction;
#else
typedef uint32_t TopkReduction;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A loss for batches. It has its lists itself, does not change, and may be used by several threads at once.
typedef struct TopkBatchLoss TopkBatchLoss;

#if defined(TOPK_LOSS_CUDA)
// A loss on a CUDA device, for rows of one float and one number of classes. It does not change, and may be used by several threads at once.
typedef struct TopkCudaLoss TopkCudaLoss;
#endif

// A batch: one example a row of scores, in memory of the caller. All zeros to start from: `TopkBatch batch = {0};`.
//
// What is written may overlap nothing else, the gaps between rows included.
typedef struct TopkBatch {
  // How many rows there are.
  size_t num_examples;
  // How many scores a row has.
  size_t num_classes;
  // The rows, of numbers of `scores_float`.
  const void *scores;
  // From one row's first number to the next one's, counted in numbers; 0 for rows without a gap.
  size_t scores_stride;
  // A `TopkFloat`: of scores and gradients.
  uint32_t scores_float;
  // Not 0 if `ignored_label` is: such an example has loss 0 and gradient 0, does not count in a mean, and is not read.
  uint32_t ignores;
  // The label that is ignored, a class or not.
  int64_t ignored_label;
  // One label an example.
  const int64_t *labels;
  // What is folded into a loss that draws: other draws every step, the same for the same one.
  uint64_t step;
  // The number of the first row, which its draws depend on: that in the whole batch, where this is a part of one.
  uint64_t first_example;
  // How many threads at most, on which no number depends; 0 for as many as the machine has.
  size_t threads;
  // Where the losses go: one an example, `double` for `f64` and `float` for the others. Not read by `topk_objective`.
  void *values;
  // Where the gradients go, of the scores' float; NULL for none.
  void *grads;
  // As `scores_stride`; what is between the rows stays as it is.
  size_t grads_stride;
  // What multiplies the examples' losses in `topk_objective`: as many as examples, `double` for `f64` and `float` for the others; NULL for 1.
  const void *weights;
} TopkBatch;

// What was wrong, in the caller's memory. Its contents before a call are irrelevant.
typedef struct TopkError {
  // As the call returned.
  TopkStatus status;
  // The example, counted from 0, that was at fault; SIZE_MAX where none was alone.
  size_t example;
  // One line of UTF-8, ending in a zero; empty where nothing was wrong. Cut where it is too long.
  char message[256];
} TopkError;

// A list that the caller keeps: as many numbers as it says, none where `data` is NULL.
typedef struct TopkListF64 {
  // The first number.
  const double *data;
  // How many there are.
  size_t len;
} TopkListF64;

// A loss as data, see `TopkKind` for what is read. `topk_f32_settings` and `topk_f64_settings` give it values to start from.
typedef struct TopkSettingsF64 {
  // A `TopkKind`.
  uint32_t kind;
  // A `TopkSmoothing`; none to start from.
  uint32_t smoothing;
  // A `TopkLaw`; normal to start from.
  uint32_t law;
  // A `TopkForm`; the K-th other to start from.
  uint32_t form;
  // The number of guesses; 1 to start from.
  size_t k;
  // How many draws are averaged; 5 to start from.
  size_t num_samples;
  // What draws are made from; 0 to start from.
  uint64_t seed;
  // By how much a label must lead, in all classes; 1 to start from.
  double margin;
  // What multiplies the loss, or the scores of LDAM and the margin cross-entropy; 1 to start from.
  double scale;
  // The scale of the noise; 1 to start from.
  double epsilon;
  // The focusing parameter; 2 to start from.
  double gamma;
  // How soft the smooth SVM's maxima are; 1 to start from.
  double temperature;
  // The bound on an exactly smoothed gradient's error; 0, from which it starts, takes the float's own.
  double tolerance;
  // By how much a label must lead, one a class, in place of `margin`.
  struct TopkListF64 margins;
  // The shares of 1, 2, … guesses.
  struct TopkListF64 shares;
  // What is added to the scores, one a class: logarithms of priors.
  struct TopkListF64 adjustments;
  // What the loss of a class counts, one a class.
  struct TopkListF64 class_weights;
} TopkSettingsF64;

// A loss of one float, wherever the caller puts it: on the stack, in static memory. It is a value: it may be copied and moved, and needs no
// freeing. The lists of its settings are not copied, and must stay where and as they are while it is used.
typedef struct TopkLossF64 {
  // Set by `topk_…_init`: what was not initialised is seldom taken for a loss.
  uint64_t mark;
  uint64_t words[26];
} TopkLossF64;

// A smoothed order statistic.
typedef struct TopkOrderStatistic {
  // Which: the largest is 1.
  size_t k;
  // A `TopkSmoothing`.
  uint32_t smoothing;
  // How many draws are averaged, if there are draws.
  size_t num_samples;
  // What draws are made from; the batch's step and the row's number are folded in.
  uint64_t seed;
  // The scale of the noise, unless there is none.
  double epsilon;
} TopkOrderStatistic;

// A list that the caller keeps: as many numbers as it says, none where `data` is NULL.
typedef struct TopkListF32 {
  // The first number.
  const float *data;
  // How many there are.
  size_t len;
} TopkListF32;

// A loss as data, see `TopkKind` for what is read. `topk_f32_settings` and `topk_f64_settings` give it values to start from.
typedef struct TopkSettingsF32 {
  // A `TopkKind`.
  uint32_t kind;
  // A `TopkSmoothing`; none to start from.
  uint32_t smoothing;
  // A `TopkLaw`; normal to start from.
  uint32_t law;
  // A `TopkForm`; the K-th other to start from.
  uint32_t form;
  // The number of guesses; 1 to start from.
  size_t k;
  // How many draws are averaged; 5 to start from.
  size_t num_samples;
  // What draws are made from; 0 to start from.
  uint64_t seed;
  // By how much a label must lead, in all classes; 1 to start from.
  float margin;
  // What multiplies the loss, or the scores of LDAM and the margin cross-entropy; 1 to start from.
  float scale;
  // The scale of the noise; 1 to start from.
  float epsilon;
  // The focusing parameter; 2 to start from.
  float gamma;
  // How soft the smooth SVM's maxima are; 1 to start from.
  float temperature;
  // The bound on an exactly smoothed gradient's error; 0, from which it starts, takes the float's own.
  float tolerance;
  // By how much a label must lead, one a class, in place of `margin`.
  struct TopkListF32 margins;
  // The shares of 1, 2, … guesses.
  struct TopkListF32 shares;
  // What is added to the scores, one a class: logarithms of priors.
  struct TopkListF32 adjustments;
  // What the loss of a class counts, one a class.
  struct TopkListF32 class_weights;
} TopkSettingsF32;

// A loss of one float, wherever the caller puts it: on the stack, in static memory. It is a value: it may be copied and moved, and needs no
// freeing. The lists of its settings are not copied, and must stay where and as they are while it is used.
typedef struct TopkLossF32 {
  // Set by `topk_…_init`: what was not initialised is seldom taken for a loss.
  uint64_t mark;
  uint64_t words[26];
} TopkLossF32;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The loss of every row, and its gradient with respect to the row's scores where `grads` is not NULL, neither weighted nor reduced.
//
// Errors name the row. After one that concerns one row, or the losses' computation, what is written is unspecified; otherwise it is as it was.
//
// # Safety
// Pointers are NULL, which is an error where not allowed, or lead to as many numbers as the batch says; what is written is used by nobody else
// meanwhile. `loss` was made by this library and not freed.
TopkStatus topk_values(const struct TopkBatchLoss *loss,
                       const struct TopkBatch *batch,
                       struct TopkError *error);

// A loss of these settings, to be freed by `topk_batch_loss_free`. Lists are copied.
//
// What the losses' constructors refuse is an error; parameters must be right as `f32`, too, since the loss computes any float. `loss` is then
// as it was.
//
// # Safety
// Pointers are NULL, which is an error, or lead to what they are of; the settings' lists are as they say.
TopkStatus topk_batch_loss_new(const struct TopkSettingsF64 *settings,
                               struct TopkBatchLoss **loss,
                               struct TopkError *error);

// A loss of JSON, which ends in a zero: `{"loss": {"top_k_hinge": {"k": 5, "smoothing": {"exact": {"epsilon": 0.2}}}}}`.
//
// Names are those of the Rust crate's `LossConfig`; every loss has its parameters, and `adjustments` and `class_weights` may stand beside
// `loss`. An unknown name is an error.
//
// # Safety
// As `topk_batch_loss_new`.
TopkStatus topk_batch_loss_from_json(const char *json,
                                     struct TopkBatchLoss **loss,
                                     struct TopkError *error);

// Frees a loss. NULL is none.
//
// # Safety
// `loss` is NULL, or one that was not freed and that no other thread uses.
void topk_batch_loss_free(struct TopkBatchLoss *loss);

#if defined(TOPK_LOSS_CUDA)
// A loss made ready for a device, the `device`-th from 0 in its primary context, and for rows of `num_classes` numbers of `scores_float`, a
// `TopkFloat`; to be freed by `topk_cuda_loss_free`. It costs milliseconds, and the driver's start the first time: make it once.
//
// Kernels are there for the cross-entropy, the top-K hinge of one K with any smoothing, the polyhedral hinge, the margin cross-entropy and
// the top-K cross-entropy of one K under Gumbel noise, without adjustments and class weights; others are an error. `cuda_loss` is then as it
// was. So are a machine without driver and a device that is not there or too old.
//
// # Safety
// Pointers are NULL, which is an error, or lead to what they are of; `loss` was made by this library and not freed.
TopkStatus topk_cuda_loss_new(const struct TopkBatchLoss *loss,
                              uint32_t device,
                              uint32_t scores_float,
                              size_t num_classes,
                              struct TopkCudaLoss **cuda_loss,
                              struct TopkError *error);
#endif

#if defined(TOPK_LOSS_CUDA)
// Frees a loss, after the device has done all work that was enqueued. NULL is none.
//
// # Safety
// `loss` is NULL, or one that was not freed and that no other thread uses.
void topk_cuda_loss_free(struct TopkCudaLoss *loss);
#endif

#if defined(TOPK_LOSS_CUDA)
// Enqueues the loss of every row, and its gradient where `grads` is not NULL, on a stream, and returns at once. `batch` is as for
// `topk_values`, but that `scores`, `labels`, `values` and `grads` are addresses of the device, and that `threads` is not read;
// `first_example` must be 0, and rows may not overlap. `stream` is a `CUstream` of the device's primary context, NULL for the default one.
//
// What is wrong with one row is found on the device: its loss is NaN, its gradient 0, and its entry of `codes`, as many as examples on the
// device, not 0. `topk_cuda_check` says what it means.
//
// # Safety
// `loss` and `batch` are as for `topk_values`. Addresses lead to memory of this device, aligned for its type, of as many numbers as the batch
// says, and stay so until the stream has done the work; what is written is used by nobody else until then and overlaps nothing.
TopkStatus topk_cuda_values(const struct TopkCudaLoss *loss,
                            const struct TopkBatch *batch,
                            uint64_t *codes,
                            void *stream,
                            struct TopkError *error);
#endif

#if defined(TOPK_LOSS_CUDA)
// What is wrong with the first row whose code is not 0, as an error of `topk_values` says it. All three are the host's memory: `codes` of
// `topk_cuda_values` and the labels, copied from the device after the stream has done the work.
//
// # Safety
// Pointers are NULL, which is an error, or lead to `num_examples` numbers.
TopkStatus topk_cuda_check(const uint64_t *codes,
                           const int64_t *labels,
                           size_t num_examples,
                           size_t num_classes,
                           struct TopkError *error);
#endif

// The settings of a loss in `double`, a `TopkKind`, to start from; as `topk_f32_settings`.
struct TopkSettingsF64 topk_f64_settings(uint32_t kind);

// Makes a loss in `double` of its settings; as `topk_f32_init`.
TopkStatus topk_f64_init(struct TopkLossF64 *loss, const struct TopkSettingsF64 *settings, struct TopkError *error);

// The same loss with other draws; as `topk_f32_fold_in`.
TopkStatus topk_f64_fold_in(const struct TopkLossF64 *loss,
                            uint64_t number,
                            struct TopkLossF64 *into,
                            struct TopkError *error);

// How many numbers of scratch so many classes need; as `topk_f32_scratch_len`.
size_t topk_f64_scratch_len(const struct TopkLossF64 *loss, size_t num_classes);

// The loss of an example in `double`; as `topk_f32_value`.
TopkStatus topk_f64_value(const struct TopkLossF64 *loss,
                          const double *scores,
                          size_t num_classes,
                          size_t label,
                          double *value,
                          double *scratch,
                          size_t scratch_len,
                          struct TopkError *error);

// The loss of an example in `double` and its gradient; as `topk_f32_value_and_grad`.
TopkStatus topk_f64_value_and_grad(const struct TopkLossF64 *loss,
                                   const double *scores,
                                   size_t num_classes,
                                   size_t label,
                                   double *value,
                                   double *grad,
                                   double *scratch,
                                   size_t scratch_len,
                                   struct TopkError *error);

// As `topk_values`, of a top-K hinge that is smoothed pathwise, with noise in place of its draws.
//
// `noise` is examples × samples × classes, `double` for `f64` and `float` for the others; the loss's own number of samples, its seed and
// the step are not used. Rows run by scalar code.
//
// # Safety
// As `topk_values`, and of `noise` likewise.
TopkStatus topk_values_of_noise(const struct TopkBatchLoss *loss,
                                const struct TopkBatch *batch,
                                const void *noise,
                                size_t num_samples,
                                struct TopkError *error);

// Margins that grow as classes get rarer: `max_margin` times (n_rarest / n)^(1/4), n the count of a class. A class without examples gets
// `max_margin`.
TopkStatus topk_ldam_margins(const size_t *counts,
                             size_t num_classes,
                             double max_margin,
                             double *margins,
                             struct TopkError *error);

// The adjustments of a loss for frequencies of the classes: `temperature` times ln(n / Σ n), n the count of a class, which must not be 0.
TopkStatus topk_log_priors(const size_t *counts,
                           size_t num_classes,
                           double temperature,
                           double *adjustments,
                           struct TopkError *error);

// The k-th largest score of every row, or its smoothing, and its gradient: probabilities, which sum to 1 (of the
// conditional smoothing on average). The batch has no labels.
//
// `noise` is NULL, or examples × samples × classes in place of the draws of a pathwise smoothing, as in `topk_values_of_noise`. Rows run by
// scalar code.
//
// # Safety
// As `topk_values`, and of `noise` likewise.
TopkStatus topk_order_statistics(const struct TopkOrderStatistic *statistic,
                                 const struct TopkBatch *batch,
                                 const void *noise,
                                 struct TopkError *error);

// The reduced loss of the batch, in `objective`, and its gradient with respect to all scores where `grads` is not NULL: the one call of a
// training loop that differentiates by itself.
//
// # Safety
// As `topk_values`.
TopkStatus topk_objective(const struct TopkBatchLoss *loss,
                          const struct TopkBatch *batch,
                          uint32_t reduction,
                          double *objective,
                          struct TopkError *error);

// What the losses of the batch count in its objective, c in Σ c·ℓ: one an example, `double` for `f64` and `float` for the others. For whoever sums
// what `topk_values` returns, such as an automatic differentiation. Scores are not read.
//
// # Safety
// As `topk_values`, and of `coefficients` likewise.
TopkStatus topk_coefficients(const struct TopkBatchLoss *loss,
                             const struct TopkBatch *batch,
                             uint32_t reduction,
                             void *coefficients,
                             struct TopkError *error);

// The settings of a loss, a `TopkKind`, to start from.
struct TopkSettingsF32 topk_f32_settings(uint32_t kind);

// Makes a loss of its settings, in the caller's memory. No memory is allocated, and none is to be freed.
//
// What the losses' constructors refuse is an error, and leaves the loss as it was.
TopkStatus topk_f32_init(struct TopkLossF32 *loss, const struct TopkSettingsF32 *settings, struct TopkError *error);

// The same loss with other draws: with a number, a step's or an example's, folded into what they are made from. `into` may be `loss`.
//
// A loss that draws draws the same in every call until it is given another number. A batch gives every example its own:
// the draws of `topk_values` are those of `fold_in(step)`, then `fold_in(example)`.
TopkStatus topk_f32_fold_in(const struct TopkLossF32 *loss,
                            uint64_t number,
                            struct TopkLossF32 *into,
                            struct TopkError *error);

// How many numbers of scratch so many classes need; SIZE_MAX if `loss` is none.
size_t topk_f32_scratch_len(const struct TopkLossF32 *loss, size_t num_classes);

// The loss of an example of `num_classes` scores.
//
// The contents of `value` and of `scratch`, of `topk_f32_scratch_len` numbers or more, are irrelevant before; nothing that is written may overlap
// what is read. After an error `value` is as it was.
TopkStatus topk_f32_value(const struct TopkLossF32 *loss,
                          const float *scores,
                          size_t num_classes,
                          size_t label,
                          float *value,
                          float *scratch,
                          size_t scratch_len,
                          struct TopkError *error);

// The loss of an example and its gradient with respect to the scores, of as many numbers as they are.
//
// As `topk_f32_value`; `grad` is overwritten, and after an error as it was or, where only the computation found the fault, unspecified.
TopkStatus topk_f32_value_and_grad(const struct TopkLossF32 *loss,
                                   const float *scores,
                                   size_t num_classes,
                                   size_t label,
                                   float *value,
                                   float *grad,
                                   float *scratch,
                                   size_t scratch_len,
                                   struct TopkError *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TOPK_LOSS_H */
