"""What others have published on these data sets, and the figures this product wants to reach."""

Figures = dict[str, float]

# Sources: Fraud Detection Handbook (ULB), chapters 5 to 7, means of four test weeks, and chapter 7
# for what has no labels; AI4Risk/antifraud for S-FFSD (random split); amazon-science's
# fraud-dataset-benchmark for Sparkov (another draw of the same generator); the documentation of
# `robustcov` for the ULB cards (the whole file).
PUBLISHED: dict[str, dict[str, Figures]] = {
    "handbook": {
        "published: logistic regression": {"auc": 0.868, "ap": 0.623, "cards": 0.297},
        "published: random forest": {"auc": 0.870, "ap": 0.678, "cards": 0.299},
        "published: XGBoost, the best": {"auc": 0.872, "ap": 0.694, "cards": 0.304},
        "published: LSTM": {"auc": 0.876, "ap": 0.665, "cards": 0.297},
    },
    "handbook cold": {
        "published: isolation forest, one week": {"auc": 0.808, "ap": 0.164, "cards": 0.190},
    },
    "arena": {},
    "arena cold": {},
    "sparkov": {"published: AutoML (AUC only)": {"auc": 0.998}},
    "s_ffsd random": {
        "published: GTAN": {"auc": 0.8286, "ap": 0.6585},
        "published: RGTAN, the best": {"auc": 0.8461, "ap": 0.6939},
    },
    "s_ffsd temporal": {},
    "ulb40 cold": {
        "published: isolation forest": {"auc": 0.948, "ap": 0.143},
        "published: robust covariance": {"auc": 0.957, "ap": 0.712},
    },
}

# At least; `ece` and what is named in AT_MOST at most.
GOALS: dict[str, Figures] = {
    "handbook": {"auc": 0.882, "ap": 0.755, "cards": 0.309, "ece": 0.001},
    "handbook 1 day": {"ap": 0.92},
    "handbook cold": {"ap": 0.26},
    "arena": {"ap": 0.88, "episodes": 0.90, "value": 0.96, "ece": 0.001},
    "arena cold": {"ap": 0.60},
    "sparkov": {"auc": 0.9995, "ap": 0.975, "value": 0.98, "users": 0.995},
    "s_ffsd random": {"auc": 0.93, "ap": 0.79},
    "s_ffsd temporal": {"auc": 0.93, "ap": 0.79},
    "ulb40 cold": {"auc": 0.94, "ap": 0.27},
}
AT_MOST = {"ece"}
LEAK = {"handbook": 0.80}  # an average precision above this can only come from labels of later
