// The kernels as loops in C++, for Enzyme through enzyme_ad's cpp_call: no headers, sizes are template
// arguments, the value is the only output. STEPS is defined by the caller.

extern "C" {
double exp(double);
double log(double);
double sqrt(double);
double tanh(double);
double erf(double);
double fabs(double);
void* malloc(std::size_t);
void free(void*);
}

using std::size_t;
using enzyme::tensor;

inline double log_sum_exp(const double* v, size_t n) {
  double largest = v[0];
  for (size_t i = 1; i < n; i++)
    if (v[i] > largest) largest = v[i];
  double total = 0.0;
  for (size_t i = 0; i < n; i++) total += exp(v[i] - largest);
  return largest + log(total);
}

template <size_t K, size_t D, size_t P, size_t N>
void gmm(tensor<double, 1>& out, const tensor<double, K>& alphas, const tensor<double, K, D>& means,
         const tensor<double, K, D>& log_diag, const tensor<double, K, P>& lower, const tensor<double, N, D>& x) {
  double diag[K * D], log_det[K], centred[D], scaled[D], score[K];
  for (size_t c = 0; c < K; c++) {
    log_det[c] = 0.0;
    for (size_t j = 0; j < D; j++) {
      diag[c * D + j] = exp(log_diag(c)(j));
      log_det[c] += log_diag(c)(j);
    }
  }
  double likelihood = 0.0;
  for (size_t i = 0; i < N; i++) {
    for (size_t c = 0; c < K; c++) {
      for (size_t j = 0; j < D; j++) centred[j] = x(i)(j) - means(c)(j);
      for (size_t j = 0; j < D; j++) scaled[j] = diag[c * D + j] * centred[j];
      size_t p = 0;
      for (size_t col = 0; col < D; col++)
        for (size_t row = col + 1; row < D; row++) scaled[row] += lower(c)(p++) * centred[col];
      double norm2 = 0.0;
      for (size_t j = 0; j < D; j++) norm2 += scaled[j] * scaled[j];
      score[c] = alphas(c) + log_det[c] - 0.5 * norm2;
    }
    likelihood += log_sum_exp(score, K);
  }
  double penalty = 0.0;
  for (size_t c = 0; c < K; c++) {
    for (size_t j = 0; j < D; j++) penalty += diag[c * D + j] * diag[c * D + j];
    for (size_t p = 0; p < P; p++) penalty += lower(c)(p) * lower(c)(p);
  }
  out(0) = likelihood - N * log_sum_exp(&alphas(0), K) - 0.5 * penalty;
}

inline double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

template <size_t L, size_t W, size_t T>
void lstm(tensor<double, 1>& out, const tensor<double, L, 4, W>& weights, const tensor<double, L, 4, W>& biases,
          const tensor<double, 3, W>& extra, const tensor<double, L, 2, W>& state,
          const tensor<double, T, W>& sequence) {
  double hidden[L * W], cell[L * W], signal[W], logits[W];
  for (size_t k = 0; k < L; k++)
    for (size_t i = 0; i < W; i++) {
      hidden[k * W + i] = state(k)(0)(i);
      cell[k * W + i] = state(k)(1)(i);
    }
  double total = 0.0;
  for (size_t t = 0; t + 1 < T; t++) {
    for (size_t i = 0; i < W; i++) signal[i] = sequence(t)(i) * extra(0)(i);
    for (size_t k = 0; k < L; k++) {
      for (size_t i = 0; i < W; i++) {
        double& h = hidden[k * W + i];
        double& s = cell[k * W + i];
        double forget = sigmoid(signal[i] * weights(k)(0)(i) + biases(k)(0)(i));
        double ingate = sigmoid(h * weights(k)(1)(i) + biases(k)(1)(i));
        double outgate = sigmoid(signal[i] * weights(k)(2)(i) + biases(k)(2)(i));
        double change = tanh(h * weights(k)(3)(i) + biases(k)(3)(i));
        s = s * forget + ingate * change;
        h = outgate * tanh(s);
      }
      for (size_t i = 0; i < W; i++) signal[i] = hidden[k * W + i];
    }
    double normaliser = 2.0;
    for (size_t i = 0; i < W; i++) {
      logits[i] = signal[i] * extra(1)(i) + extra(2)(i);
      normaliser += exp(logits[i]);
    }
    double log_normaliser = log(normaliser);
    for (size_t i = 0; i < W; i++) total += sequence(t + 1)(i) * (logits[i] - log_normaliser);
  }
  out(0) = -total / ((T - 1) * W);
}

template <size_t N>
void seidel(tensor<double, 1>& out, const tensor<double, N, N>& grid, const tensor<double, N, N>& weight) {
  const long W = N;  // signed, for neighbours before
  double* a = (double*)malloc(N * N * sizeof(double));
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) a[i * N + j] = grid(i)(j);
  for (size_t t = 0; t < STEPS; t++)
    for (size_t i = 1; i < N - 1; i++)
      for (size_t j = 1; j < N - 1; j++) {
        double* c = a + i * N + j;
        *c = (c[-W - 1] + c[-W] + c[-W + 1] + c[-1] + c[0] + c[1] + c[W - 1] + c[W] + c[W + 1]) / 9.0;
      }
  double total = 0.0;
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) total += a[i * N + j] * weight(i)(j);
  out(0) = total;
  free(a);
}

template <size_t N>
void jacobi2d(tensor<double, 1>& out, const tensor<double, N, N>& a0, const tensor<double, N, N>& b0,
              const tensor<double, N, N>& weight) {
  const long W = N;  // signed, for neighbours before
  double* a = (double*)malloc(N * N * sizeof(double));
  double* b = (double*)malloc(N * N * sizeof(double));
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) {
      a[i * N + j] = a0(i)(j);
      b[i * N + j] = b0(i)(j);
    }
  for (size_t t = 0; t < STEPS; t++) {
    for (size_t i = 1; i < N - 1; i++)
      for (size_t j = 1; j < N - 1; j++) {
        double* c = a + i * N + j;
        b[i * N + j] = 0.2 * (c[0] + c[-1] + c[1] + c[W] + c[-W]);
      }
    for (size_t i = 1; i < N - 1; i++)
      for (size_t j = 1; j < N - 1; j++) {
        double* c = b + i * N + j;
        a[i * N + j] = 0.2 * (c[0] + c[-1] + c[1] + c[W] + c[-W]);
      }
  }
  double total = 0.0;
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) total += a[i * N + j] * weight(i)(j);
  out(0) = total;
  free(a);
  free(b);
}

inline void rhs(double* k, double x, double y, double z, double s, double r, double b) {
  k[0] = s * (y - x);
  k[1] = x * (r - z) - y;
  k[2] = x * y - b * z;
}

inline void lorenz(tensor<double, 1>& out, const tensor<double, 3>& start, const tensor<double, 3>& params,
                   const tensor<double, 1>& step) {
  double x = start(0), y = start(1), z = start(2), dt = step(0);
  double s = params(0), r = params(1), b = params(2);
  for (size_t t = 0; t < STEPS; t++) {
    double k1[3], k2[3], k3[3], k4[3];
    rhs(k1, x, y, z, s, r, b);
    rhs(k2, x + 0.5 * dt * k1[0], y + 0.5 * dt * k1[1], z + 0.5 * dt * k1[2], s, r, b);
    rhs(k3, x + 0.5 * dt * k2[0], y + 0.5 * dt * k2[1], z + 0.5 * dt * k2[2], s, r, b);
    rhs(k4, x + dt * k3[0], y + dt * k3[1], z + dt * k3[2], s, r, b);
    x = x + dt * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]) / 6;
    y = y + dt * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1]) / 6;
    z = z + dt * (k1[2] + 2 * k2[2] + 2 * k3[2] + k4[2]) / 6;
  }
  out(0) = x + y + z;
}

inline double normal_cdf(double x) { return 0.5 * (1.0 + erf(x * 0.7071067811865476)); }

template <size_t N>
void black_scholes(tensor<double, 1>& out, const tensor<double, N>& spot, const tensor<double, N>& strike,
                   const tensor<double, N>& expiry, const tensor<double, 1>& rates, const tensor<double, 1>& vols) {
  double total = 0.0, rate = rates(0), vol = vols(0);
  for (size_t i = 0; i < N; i++) {
    double root = sqrt(expiry(i));
    double drift = (rate + 0.5 * vol * vol) * expiry(i);
    double d1 = (log(spot(i) / strike(i)) + drift) / (vol * root);
    double d2 = d1 - vol * root;
    double discount = exp(-rate * expiry(i));
    total += spot(i) * normal_cdf(d1) - strike(i) * discount * normal_cdf(d2);
  }
  out(0) = total;
}

template <size_t N>
void logsumexp(tensor<double, 1>& out, const tensor<double, N>& x) {
  out(0) = log_sum_exp(&x(0), N);
}

template <size_t N>
void newton(tensor<double, 1>& out, const tensor<double, N>& a, const tensor<double, N>& b) {
  double total = 0.0;
  for (size_t i = 0; i < N; i++) {
    double x = 1.0 + b(i);
    double f = x * x * x + a(i) * x - b(i);
    int trips = 0;
    while (fabs(f) > 1e-12 && trips < 50) {
      x = x - f / (3.0 * x * x + a(i));
      f = x * x * x + a(i) * x - b(i);
      trips++;
    }
    total += x;
  }
  out(0) = total;
}

template <size_t N>
void mandel(tensor<double, 1>& out, const tensor<double, N>& cx, const tensor<double, N>& cy) {
  double total = 0.0;
  for (size_t i = 0; i < N; i++) {
    double x = 0.0, y = 0.0;
    for (size_t t = 0; t < STEPS; t++) {
      if (x * x + y * y > 4.0) break;
      double next = x * x - y * y + cx(i);
      if (x * y < 0.0)
        y = -1.9 * x * y + cy(i);
      else
        y = 2.0 * x * y + cy(i);
      x = next;
    }
    total += log(1.0 + x * x + y * y);
  }
  out(0) = total;
}
