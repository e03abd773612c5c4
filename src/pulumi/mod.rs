//! pulumi
