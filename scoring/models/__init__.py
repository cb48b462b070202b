"""The nouns of scoring, one file per family."""

from scoring.models.costs import CostModel, CostRequest
from scoring.models.daycounts import CountedThrough, LabelDay, PlaceDay
from scoring.models.decisions import Decision, DecisionPolicy, Explanation, ShadowScore, Snapshot
from scoring.models.features import Ablation, FamilyOwner, FeatureDay, FeatureDrift, FeaturePipeline
from scoring.models.frauds import EntityFraud
from scoring.models.hours import MerchantHour
from scoring.models.labels import Label
from scoring.models.lake import LakeCopy
from scoring.models.lists import ListEntry, ListVersion
from scoring.models.notices import Notice
from scoring.models.outbox import Delivery, Endpoint, OutboundEvent
from scoring.models.policies import PolicyRequest
from scoring.models.rates import ExchangeRate
from scoring.models.receipts import Receipt
from scoring.models.registry import ModelVersion, PromotionRequest, TrainingRun
from scoring.models.rejects import RejectedRecord
from scoring.models.requests import IdempotentRequest
from scoring.models.resolutions import Resolution
from scoring.models.sources import Source, SourceVersion
from scoring.models.streams import StreamPosition
from scoring.models.transactions import Transaction
from scoring.models.unmarkings import Unmarking
from scoring.models.veil import VeilKey
from scoring.models.work import Chunk, JobProgress, JobSlot, Upload

__all__ = [
    "Ablation",
    "Chunk",
    "CostModel",
    "CostRequest",
    "CountedThrough",
    "Decision",
    "DecisionPolicy",
    "Delivery",
    "Endpoint",
    "EntityFraud",
    "ExchangeRate",
    "Explanation",
    "FamilyOwner",
    "FeatureDay",
    "FeatureDrift",
    "FeaturePipeline",
    "IdempotentRequest",
    "JobProgress",
    "JobSlot",
    "Label",
    "LabelDay",
    "LakeCopy",
    "ListEntry",
    "ListVersion",
    "MerchantHour",
    "ModelVersion",
    "Notice",
    "OutboundEvent",
    "PlaceDay",
    "PolicyRequest",
    "PromotionRequest",
    "Receipt",
    "RejectedRecord",
    "Resolution",
    "ShadowScore",
    "Snapshot",
    "Source",
    "SourceVersion",
    "StreamPosition",
    "TrainingRun",
    "Transaction",
    "Unmarking",
    "Upload",
    "VeilKey",
]
