"""Trains the demo's four models on the German credit data and registers each in MLflow.

Real models, real metrics: half of the rows train, and each of them is scored by a model that has
not seen it (five folds); the other half are the applicants, and train nothing. v2 alone uses the
columns that policy bars.
"""

from __future__ import annotations

import csv
import logging
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import sklearn
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

MODEL = "credit_scoring"
DATA = Path(__file__).parent / "data" / "german_credit.csv"
LABEL = "creditability"
BARRED = ("personal_status_and_sex", "foreign_worker")
LEFT_OUT = (*BARRED, "age_in_years")
SEED = 20260301


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one version is made."""

    estimator: ClassifierMixin
    parameters: dict[str, str]
    decision_threshold: float
    left_out: tuple[str, ...] = LEFT_OUT
    trusted_types: list[str] | None = None
    """Types that skops is told to trust when it saves the model; trees need one."""


def recipe(number: int) -> Recipe:
    """What differs between the demo's versions: v1 is a random forest, the others are logistic
    regressions."""
    if number == 1:
        return Recipe(
            estimator=RandomForestClassifier(
                n_estimators=150, min_samples_leaf=5, random_state=SEED
            ),
            parameters={
                "estimator": "random forest",
                "n_estimators": "150",
                "min_samples_leaf": "5",
            },
            decision_threshold=0.45,
            trusted_types=["sklearn.tree._tree.Tree"],
        )
    strength, threshold = {2: (1.0, 0.5), 3: (1.0, 0.6)}.get(number, (0.1, 0.45))
    return Recipe(
        estimator=LogisticRegression(C=strength, max_iter=2000),
        parameters={"estimator": "logistic regression", "C": str(strength)},
        decision_threshold=threshold,
        left_out=("age_in_years",) if number == 2 else LEFT_OUT,
    )


@dataclass(frozen=True, kw_only=True)
class Halves:
    """The data in two halves: what trains, and who applies. No row is in both."""

    training: pd.DataFrame
    applicants: pd.DataFrame


def halves() -> Halves:
    """Always the same two."""
    data = pd.read_csv(DATA)
    training, applicants = train_test_split(
        data, test_size=0.5, random_state=SEED, stratify=data[LABEL]
    )
    return Halves(training=training, applicants=applicants)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One version before it is registered."""

    model: Pipeline
    features: pd.DataFrame
    """All rows that it has seen, by their numbers in the file."""
    bad: pd.Series
    scores: np.ndarray
    """Of each of these rows, by a model that has not seen it."""


def train(number: int) -> Trained:
    """Fit one version on the half that trains."""
    made = recipe(number)
    training = halves().training
    features = training.drop(columns=[LABEL, *made.left_out])
    bad = (training[LABEL] == "bad").astype(int)
    model = _pipeline(made, features)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    scores = cross_val_predict(model, features, bad, cv=folds, method="predict_proba")[:, 1]
    model.fit(features, bad)
    return Trained(model=model, features=features, bad=bad, scores=scores)


def register_version(tracking_uri: str, number: int) -> int:
    """Train one version, log what a good pipeline logs, and register it; returns its number."""
    made = recipe(number)
    done = train(number)
    x_train, y_train, scores = done.features, done.bad, done.scores
    mlflow.set_tracking_uri(tracking_uri)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ["LOGNAME"] = "dana"  # whose login MLflow notes as the run's user
    mlflow.set_experiment(MODEL)
    with warnings.catch_warnings():
        # MLflow warns about integer columns without missing values and about its own defaults.
        warnings.simplefilter("ignore")
        with mlflow.start_run(run_name=f"v{number}"):
            mlflow.set_tag("git_email", "dana@bank.example")
            mlflow.log_params(
                {**made.parameters, "decision_threshold": str(made.decision_threshold)}
            )
            dataset = mlflow.data.from_pandas(
                x_train.assign(**{LABEL: y_train}), name="german_credit", targets=LABEL
            )
            mlflow.log_input(dataset, context="training")
            info = mlflow.sklearn.log_model(
                done.model,
                name="model",
                signature=infer_signature(x_train, scores),
                pip_requirements=[f"scikit-learn=={sklearn.__version__}"],
                skops_trusted_types=made.trusted_types,
            )
            labels = y_train.to_numpy()
            mlflow.log_metrics(_metrics(labels, scores, made), model_id=info.model_id)
            mlflow.log_text(_scores_csv(labels, scores), "validation_scores.csv")
            mlflow.log_dict(_profile(x_train), "input_profile.json")
            client = MlflowClient(tracking_uri)
            _ensure_registered(client)
            version = client.create_model_version(
                MODEL, source=info.model_uri, run_id=info.run_id, model_id=info.model_id
            )
    return int(version.version)


def _pipeline(made: Recipe, features: pd.DataFrame) -> Pipeline:
    words = [c for c in features.columns if not pd.api.types.is_numeric_dtype(features[c])]
    numbers = [c for c in features.columns if c not in words]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), words), (StandardScaler(), numbers)
    )
    return make_pipeline(columns, made.estimator)


def _metrics(bad: np.ndarray, scores: np.ndarray, made: Recipe) -> dict[str, float]:
    return {
        "auc_validation": float(roc_auc_score(bad, scores)),
        "brier_validation": float(brier_score_loss(bad, scores)),
        "approval_rate": float(np.mean(scores < made.decision_threshold)),
        "n_bads_validation": float(bad.sum()),
        "n_goods_validation": float(len(bad) - bad.sum()),
    }


def _scores_csv(bad: np.ndarray, scores: np.ndarray) -> str:
    """What the validation measured, row by row: a monitor is held against it."""
    rows = [f"{score:.6f},{label}" for score, label in zip(scores, bad, strict=True)]
    return "\n".join(["score,bad", *rows]) + "\n"


def _profile(features: pd.DataFrame) -> dict[str, dict[str, object]]:
    """What values each input column had: approvers see when that changes."""
    profile: dict[str, dict[str, object]] = {}
    for name, column in features.items():
        if pd.api.types.is_numeric_dtype(column):
            profile[str(name)] = {"min": float(column.min()), "max": float(column.max())}
        else:
            profile[str(name)] = {"values": sorted(str(v) for v in column.unique())}
    return profile


def _ensure_registered(client: MlflowClient) -> None:
    if not client.search_registered_models(f"name='{MODEL}'"):
        client.create_registered_model(MODEL)


def columns_of_the_data() -> tuple[str, ...]:
    """The names in the file's first line."""
    with DATA.open(newline="", encoding="utf-8") as file:
        return tuple(next(csv.reader(file)))
