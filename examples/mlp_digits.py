"""Train a small network on scikit-learn's handwritten digits; the parameters are a dict of arrays."""

import sys

import numpy as np

import s2sad

try:
    from sklearn.datasets import load_digits
except ImportError:
    sys.exit('this example needs scikit-learn: pip install "s2sad[examples]"')


def predict(params, x):
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    logits = hidden @ params["w2"] + params["b2"]
    return logits - np.max(logits, axis=1, keepdims=True)


def loss(params, x, one_hot):
    logits = predict(params, x)
    log_prob = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.mean(np.sum(one_hot * log_prob, axis=1))


def main():
    digits = load_digits()
    x, labels = digits.data / 16.0, digits.target
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    train, test = order[:1400], order[1400:]
    params = {
        "w1": rng.normal(size=(64, 32)) / 8.0,
        "b1": np.zeros(32),
        "w2": rng.normal(size=(32, 10)) / 6.0,
        "b2": np.zeros(10),
    }
    value_and_grad = s2sad.value_and_grad(loss, jit=True)
    one_hot = np.eye(10)[labels]
    for epoch in range(30):
        total = 0.0
        for k in range(0, len(train), 50):
            batch = train[k : k + 50]
            value, grads = value_and_grad(params, x[batch], one_hot[batch])
            total += value * len(batch)
            for name in params:
                params[name] -= 0.5 * grads[name]
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")
    right = np.argmax(predict(params, x[test]), axis=1) == labels[test]
    print(value_and_grad.source)
    print(f"accuracy on {len(test)} unseen digits: {np.mean(right):.3f}")
    return float(np.mean(right))


if __name__ == "__main__":
    main()
