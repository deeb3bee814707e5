"""When not to answer: in, questions that a panel's sources answer and questions that they do not; out, who tells them apart."""
