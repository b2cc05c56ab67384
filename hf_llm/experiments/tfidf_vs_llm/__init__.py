"""When is TF-IDF + SVM the better choice? Spam in SMS, against a small GPT-2."""
