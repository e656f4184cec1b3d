"""Trains a model with PyTorch, eager and in 32-bit floats, as many steps at a time as it is told:

    with_torch.py MODEL classify|generate all|lora BATCH LENGTH THREADS

The model is built from its config.json by transformers, with random weights and no dropout; `lora` wraps it with PEFT, with the
same layers and rank as `benches/training/ours.rs`. A step: forward, loss, backward, the gradient's norm clipped to 1, AdamW (the
fused one). Each line of standard input is a number of steps; the loss of the last is printed when they are done.
"""

import os
import sys

import torch
import transformers

CLASSES = 16


class Classifier(torch.nn.Module):
    """An encoder with the mean of its features and a linear head, as annotc puts one on an export without a head."""

    def __init__(self, config):
        super().__init__()
        self.encoder = transformers.AutoModel.from_config(config, add_pooling_layer=False)
        self.classifier = torch.nn.Linear(config.hidden_size, CLASSES)

    def forward(self, input_ids, attention_mask, labels):
        features = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(features.dtype)
        mean = (features * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.cross_entropy(self.classifier(mean), labels)


class LanguageModel(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.decoder = transformers.AutoModelForCausalLM.from_config(config)

    def forward(self, input_ids, attention_mask, labels):
        return self.decoder(input_ids=input_ids, attention_mask=attention_mask, labels=labels, use_cache=False).loss


def build(folder, task, tune):
    config = transformers.AutoConfig.from_pretrained(folder)
    for name in list(vars(config)):
        if name.endswith(("dropout", "dropout_prob", "pdrop")) and isinstance(getattr(config, name), float):
            setattr(config, name, 0.0)
    torch.manual_seed(1)
    model = Classifier(config) if task == "classify" else LanguageModel(config)
    if tune == "lora":
        import peft

        targets = ["query", "value"] if task == "classify" else ["q_proj", "v_proj"]
        keep = ["classifier"] if task == "classify" else None
        lora = peft.LoraConfig(r=8, lora_alpha=16, target_modules=targets, modules_to_save=keep)
        model = peft.get_peft_model(model, lora)
    return model.train(), config


def main():
    folder, task, tune, batch, length, threads = sys.argv[1:]
    batch, length = int(batch), int(length)
    torch.set_num_threads(int(threads))
    model, config = build(folder, task, tune)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-5, weight_decay=0.01, fused=os.environ.get("FUSED", "1") == "1")
    ids = torch.randint(5, config.vocab_size, (batch, length))
    labels = ids if task == "generate" else torch.randint(0, CLASSES, (batch,))
    mask = torch.ones_like(ids)
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            value = loss.item()
        print(value, flush=True)


main()
