//! The integration tests, one binary so that they link once: the tools as processes, against real servers.
