"""What can be asked, without training, of embeddings, scores and texts that any system wrote."""
