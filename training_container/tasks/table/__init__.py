"""Tables with a target: regression and classes, by an ensemble of several families of models."""
