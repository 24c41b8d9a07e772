"""Policies and people from YAML files: whole or not at all, with every problem named at once."""

from governance.adapters.policy_files.folder_rules import FolderRules
from governance.adapters.policy_files.loader import (
    Loaded,
    check_files,
    load_folder,
    load_rules,
    load_texts,
    rules_from_texts,
)
from governance.adapters.policy_files.problems import Finding, PolicyProblems, Report
from governance.adapters.policy_files.schema import json_schema

__all__ = [
    "Finding",
    "FolderRules",
    "Loaded",
    "PolicyProblems",
    "Report",
    "check_files",
    "json_schema",
    "load_folder",
    "load_rules",
    "load_texts",
    "rules_from_texts",
]
