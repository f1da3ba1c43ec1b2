"""A PyTorch network that learns handwritten digits, some of them rare, with losses of fastloss.

In a checkout: pip install ".[torch]" scikit-learn
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import fastloss as fl
from fastloss.adapters.torch import module

pixels, digits = load_digits(return_X_y=True)
pixels = (pixels / 16).astype(np.float32)
x_train, x_test, y_train, y_test = train_test_split(pixels, digits, random_state=0, stratify=digits)

# Of the digits 8 and 9, one in ten is kept.
rng = np.random.default_rng(0)
kept = (y_train < 8) | (rng.random(y_train.size) < 0.1)
x_train, y_train = torch.from_numpy(x_train[kept]), torch.from_numpy(y_train[kept])
x_test = torch.from_numpy(x_test)

counts = np.bincount(y_train, minlength=10)
losses = {
    "cross-entropy": fl.CrossEntropy(),
    "cross-entropy, classes weighted": fl.CrossEntropy(class_weight=counts.mean() / counts),
    "focal": fl.Focal(gamma=2.0, alpha=counts.mean() / counts),
}
print(f"{y_train.numel()} digits to learn from, {counts[8]} of them an 8, {counts[9]} a 9")
for name, loss in losses.items():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    criterion = module(loss)
    for _ in range(60):
        optimiser.zero_grad()
        value = criterion(network(x_train), y_train)
        value.backward()
        optimiser.step()

    with torch.no_grad():
        guess = network(x_test).argmax(dim=1).numpy()
    right = guess == y_test
    print(f"{name:32} right of all {right.mean():.1%}, of 8 and 9 {right[y_test >= 8].mean():.1%}")
