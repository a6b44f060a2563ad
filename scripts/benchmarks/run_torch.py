"""Trains with PyTorch, eager, in one of its two layouts."""

import job as jobs

job = jobs.read()
if not job["only_start"]:
    images, labels = jobs.load(job)

import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(job["threads"])
torch.manual_seed(42)
NONLINEARITIES = {"relu": nn.ReLU, "tanh": nn.Tanh}


def build(network):
    """The layers, without the last nonlinearity: it is in the loss."""
    built = []
    channels, rows, columns = network["image"]
    width = None
    for kind, layer in network["layers"]:
        if kind == "conv":
            pad = layer["size"] // 2 if layer["pad"] == "same" else 0
            built.append(
                nn.Conv2d(
                    channels, layer["filters"], layer["size"], layer["stride"], pad
                )
            )
            channels = layer["filters"]
            rows, columns = (
                (n + 2 * pad - layer["size"]) // layer["stride"] + 1
                for n in (rows, columns)
            )
        elif kind == "pool":
            pooling = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}[layer["mode"]]
            built.append(pooling(layer["size"], layer["stride"]))
            rows, columns = (
                (n - layer["size"]) // layer["stride"] + 1 for n in (rows, columns)
            )
        elif kind == "dropout":
            built.append(nn.Dropout(layer["p"]))
        else:
            if width is None:
                built.append(nn.Flatten())
                width = channels * rows * columns
            built.append(nn.Linear(width, layer["units"]))
            width = layer["units"]
        nonlinearity = NONLINEARITIES.get(layer.get("nonlinearity"))
        if nonlinearity is not None:
            built.append(nonlinearity())
    model = nn.Sequential(*built)
    for name, parameter in model.named_parameters():
        if name.endswith("weight"):
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
    return model


memory_format = getattr(torch, job["memory_format"])
network = job["network"]
model = build(network).to(memory_format=memory_format)
optimizer = torch.optim.SGD(
    model.parameters(),
    lr=0.01,
    momentum=0.9,
    nesterov=network["nesterov"],
    fused=True,
)
cross_entropy = nn.CrossEntropyLoss()


def step(x, y):
    optimizer.zero_grad(set_to_none=True)
    loss = cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item() * len(x)


if job["only_start"]:
    shape = (job["batch_size"], *network["image"])
    x = torch.zeros(shape).contiguous(memory_format=memory_format)
    step(x, torch.zeros(job["batch_size"], dtype=torch.int64))
    jobs.write({"seconds": jobs.seconds_since_start()})
else:
    x = torch.from_numpy(images).contiguous(memory_format=memory_format)
    y = torch.from_numpy(labels).long()
    del images
    x1, y1, x2, y2 = jobs.split(job, x, y)
    batch_size = job["batch_size"]

    def epoch(trained, validated):
        model.train()
        loss = 0.0
        for at in range(0, trained, batch_size):
            span = slice(at, min(at + batch_size, trained))
            loss += step(x1[span], y1[span])
        model.eval()
        valid_loss, right = 0.0, 0
        with torch.inference_mode():
            for at in range(0, validated, batch_size):
                span = slice(at, min(at + batch_size, validated))
                scores = model(x2[span])
                valid_loss += cross_entropy(scores, y2[span]).item() * len(scores)
                right += (scores.argmax(1) == y2[span]).sum().item()
        return loss / trained

    parameters = sum(one.numel() for one in model.parameters())
    jobs.measure(job, epoch, parameters)
