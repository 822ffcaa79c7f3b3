"""Which extra of the package holds a library that the core install does without."""

EXTRAS = {
    "cmaes": "sweep",
    "decord": "decoders",
    "faiss": "demo",
    "fastapi": "demo",
    "gdcm": "dicom",
    "onnx": "export",
    "onnxruntime": "export",
    "onnxscript": "export",
    "optuna": "sweep",
    "pydicom": "dicom",
    "ray": "ray",
    "ruptures": "logs",
    "striprtf": "dicom",
    "tensorboard": "logs",
    "torchcodec": "decoders",
    "uvicorn": "demo",
    "wandb": "sweep",
}
"""The extra, by the name that is imported."""


def how_to_install(module: str) -> str | None:
    """Return one line on what to install for a module; None where it belongs to no extra."""
    library = module.partition(".")[0]
    extra = EXTRAS.get(library)
    if extra is None:
        return None
    return f'{library} is not installed, which this needs: pip install "cinelex[{extra}]"'
